// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestSupport

/// A client that reads statements through a pipe and answers each with a line.
final class DatabaseClient {
    private let process = Process()
    private let input = Pipe()
    private let output = Pipe()
    private var waiting: [UInt8] = []

    init(_ arguments: [String], environment: [String: String] = [:]) throws {
        // A write to a server that has gone must be an error, not the end of the tests.
        signal(SIGPIPE, SIG_IGN)
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = arguments
        process.environment = Namespace.environment.merging(environment) { $1 }
        process.standardInput = input
        process.standardOutput = output
        process.standardError = output
        try process.run()
    }

    deinit {
        try? input.fileHandleForWriting.close()
        if process.isRunning { kill(process.processIdentifier, SIGKILL) }
        process.waitUntilExit()
    }

    /// Sends a statement and returns the next line; an end of the client or a minute without one is an error.
    func ask(_ statement: String) throws -> String {
        let bytes = Array("\(statement)\n".utf8)
        guard write(input.fileHandleForWriting.fileDescriptor, bytes, bytes.count) == bytes.count else {
            throw TestFailure("the client has ended: \(String(decoding: waiting, as: UTF8.self))")
        }
        let deadline = monotonicSeconds() + 60
        while true {
            if let end = waiting.firstIndex(of: UInt8(ascii: "\n")) {
                defer { waiting.removeSubrange(...end) }
                return String(decoding: waiting[..<end], as: UTF8.self)
            }
            var polled = pollfd(fd: output.fileHandleForReading.fileDescriptor, events: Int16(POLLIN), revents: 0)
            guard poll(&polled, 1, 1000) > 0 else {
                if monotonicSeconds() < deadline { continue }
                throw TestFailure("no answer within a minute: \(statement)")
            }
            var buffer = [UInt8](repeating: 0, count: 4096)
            let count = read(polled.fd, &buffer, buffer.count)
            guard count > 0 else {
                throw TestFailure("the client has ended: \(String(decoding: waiting, as: UTF8.self))")
            }
            waiting += buffer[..<count]
        }
    }
}
