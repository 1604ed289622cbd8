// SPDX-License-Identifier: Apache-2.0

import Foundation
import Glibc
import TestSupport

/// A running qemu-ga with a socket of its own, and a host that talks to it.
final class Agent {
    /// The agent's answer to one request.
    struct Answer {
        var json: [String: Any]
        /// From the request to the answer.
        var seconds: Double

        var number: Int? { json["return"] as? Int }
        var text: String? { json["return"] as? String }
        var error: String? { (json["error"] as? [String: Any])?["desc"] as? String }
    }

    /// The process qemu-ga itself.
    let process: pid_t
    private let starter: ChildProcess
    // The namespace must not end before the agent.
    private let namespace: Namespace
    private let connection: Int32
    private var unread = Data()
    private var sent = monotonicSeconds()

    /// Starts the agent in the namespace and connects to it.
    ///
    /// - Parameters:
    ///   - hook: the value of -F.
    ///   - state: the agent's state directory, as it is called inside the namespace.
    ///   - configuration: the configuration file that names this directory; nil for the command line.
    ///   - options: further words of its command line.
    ///   - socket: the path of its socket.
    init(
        in namespace: Namespace, hook: String, state: String, configuration: String? = nil,
        options: [String] = [], socket path: String
    ) throws {
        self.namespace = namespace
        unlink(path)
        if let configuration { try Files.write("[general]\nstatedir = \(state)\n", to: configuration) }
        starter = try namespace.start(
            [
                try Tools.command("qemu-ga", package: "qemu-guest-agent"), "--method=unix-listen", "--path=\(path)",
                "--pidfile=\(state)/agent.pid", "-F\(hook)",
            ] + (configuration == nil ? ["--statedir=\(state)"] : []) + options,
            environment: configuration.map { ["QGA_CONF": $0] } ?? [:])
        let starter = starter
        connection = try Self.connect(to: path) { starter.isRunning }
        guard let process = Processes.children(of: starter.pid).first else {
            throw TestFailure("qemu-ga ended at once")
        }
        self.process = process
        try synchronise()
    }

    deinit {
        close(connection)
        kill(process, SIGKILL)
        _ = try? starter.wait(within: 10)
    }

    /// Freezes through a list of mount points that do not exist: the hook runs and no filesystem is touched.
    func freeze() throws -> Answer {
        try sendFreeze()
        return try receive()
    }

    func sendFreeze() throws {
        try sendFreeze(of: ["/nonexistent"])
    }

    /// Freezes the filesystems at these mount points of the agent's namespace, and no others.
    func freeze(_ mountPoints: [String]) throws -> Answer {
        try sendFreeze(of: mountPoints)
        return try receive()
    }

    /// Freezes the one filesystem at this mount point.
    func freeze(_ mountPoint: String) throws -> Answer { try freeze([mountPoint]) }

    /// Sends a freeze of the filesystem at this mount point and the thaw at once, as a host may that does not wait;
    /// returns both answers.
    func freezeAndThaw(_ mountPoint: String) throws -> [Answer] {
        try sendFreeze(of: [mountPoint])
        try send("guest-fsfreeze-thaw")
        return [try receive(), try receive()]
    }

    private func sendFreeze(of mountPoints: [String]) throws {
        try send("guest-fsfreeze-freeze-list", ["mountpoints": mountPoints])
    }

    func thaw() throws -> Answer {
        try ask("guest-fsfreeze-thaw")
    }

    /// `thawed` or `frozen`, as the agent says it.
    func status() throws -> String? {
        try ask("guest-fsfreeze-status").text
    }

    func answersPing() throws -> Bool {
        try ask("guest-ping").json["return"] != nil
    }

    func ask(_ command: String) throws -> Answer {
        try send(command)
        return try receive()
    }

    /// Waits for the answer to what was sent last.
    func receive() throws -> Answer {
        let line = try readLine()
        guard let json = try JSONSerialization.jsonObject(with: line) as? [String: Any] else {
            throw TestFailure("the agent answered: \(String(decoding: line, as: UTF8.self))")
        }
        return Answer(json: json, seconds: monotonicSeconds() - sent)
    }

    /// Sends SIGTERM, as systemd does when the service is stopped or restarted, and waits for the end.
    func stop() throws {
        kill(process, SIGTERM)
        try waitForEnd()
    }

    func waitForEnd() throws {
        _ = try starter.wait(within: 20)
    }

    private func send(_ command: String, _ arguments: [String: Any] = [:], before: [UInt8] = []) throws {
        var request: [String: Any] = ["execute": command]
        if !arguments.isEmpty { request["arguments"] = arguments }
        let bytes = before + (try JSONSerialization.data(withJSONObject: request)) + Array("\n".utf8)
        sent = monotonicSeconds()
        guard Glibc.send(connection, bytes, bytes.count, Int32(MSG_NOSIGNAL)) == bytes.count else {
            throw TestFailure("the agent took no request: \(String(cString: strerror(errno)))")
        }
    }

    // The byte 0xff makes the agent drop a half-sent request. The agent sends it before the answer, too: answers before
    // it belong to an earlier host.
    private func synchronise() throws {
        let id = Int(process)
        try send("guest-sync-delimited", ["id": id], before: [0xff])
        while try receive().number != id {}
    }

    private func readLine() throws -> Data {
        while true {
            if let end = unread.firstIndex(of: UInt8(ascii: "\n")) {
                let line = unread[unread.startIndex..<end].drop { $0 == 0xff }
                unread = Data(unread[(end + 1)...])
                return Data(line)
            }
            var buffer = [UInt8](repeating: 0, count: 65536)
            let count = recv(connection, &buffer, buffer.count, 0)
            guard count > 0 else {
                throw TestFailure(count == 0 ? "the agent hung up" : "no answer: \(String(cString: strerror(errno)))")
            }
            unread.append(contentsOf: buffer[..<count])
        }
    }

    private static func connect(to path: String, while isAlive: () -> Bool) throws -> Int32 {
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var limit = timeval(tv_sec: 60, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        guard path.utf8.count < MemoryLayout.size(ofValue: address.sun_path) else {
            throw TestFailure("the path is too long for a socket: \(path)")
        }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        let isConnected = {
            withUnsafePointer(to: &address) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    Glibc.connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size)) == 0
                }
            }
        }
        var connected = false
        _ = eventually(within: 20) {
            connected = isConnected()
            return connected || !isAlive()
        }
        guard connected else {
            close(descriptor)
            throw TestFailure("qemu-ga does not listen at \(path)")
        }
        return descriptor
    }
}
