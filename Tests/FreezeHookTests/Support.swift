// SPDX-License-Identifier: Apache-2.0

import Glibc
import SystemPackage
import TestSupport

@testable import FreezeHook
@testable import FreezeHookAdmin
@testable import FreezeHookBase
@testable import FreezeHookRecipes

/// The bytes of a text.
func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

extension TemporaryDirectory {
    /// The path of a file in the directory.
    func file(_ name: String) -> FilePath { FilePath("\(path)/\(name)") }

    /// A run directory in the directory.
    func makeRunDirectory() throws -> RunDirectory { try RunDirectory(path: file("run")) }

    /// Makes a directory below this one, whatever the umask is, and returns its path.
    @discardableResult
    func makeDirectory(_ name: String, mode: mode_t = 0o755) throws -> FilePath {
        let directory = "\(path)/\(name)"
        try Files.makeDirectory(directory, mode: mode)
        return FilePath(directory)
    }

    /// Puts a link into the directory and returns its path.
    @discardableResult
    func makeLink(_ name: String, to target: String) throws -> FilePath {
        try Files.link("\(path)/\(name)", to: target)
        return file(name)
    }

    /// Makes a FIFO in the directory and returns its path.
    @discardableResult
    func makeFIFO(_ name: String) throws -> FilePath {
        try succeed("mkfifo \(name)", mkfifo("\(path)/\(name)", 0o600))
        return file(name)
    }

    /// Writes an executable file of this mode and returns its path.
    @discardableResult
    func makeFile(_ name: String, _ text: String = "#!/bin/sh\n", mode: mode_t = 0o755) throws -> FilePath {
        try Files.write(text, to: "\(path)/\(name)", mode: mode)
        return file(name)
    }
}

/// Fails the test when a system call has not returned 0.
func succeed(_ what: String, _ result: Int32) throws {
    guard result == 0 else { throw TestFailure("\(what): \(String(cString: strerror(errno))); tests run as root") }
}

/// A user and group that own nothing on any machine.
let stranger: uid_t = 4711

/// Gives a file or link itself to another owner.
func giveAway(_ path: FilePath, user: uid_t = 0, group: gid_t = 0) throws {
    try succeed("chown \(path)", lchown(path.string, user, group))
}

/// Runs the work in another thread and waits for its end; both sides of a pipe can then block.
func withThread<Result>(_ work: @escaping @Sendable () -> Void, while other: () throws -> Result) throws -> Result {
    let box = Unmanaged.passRetained(ThreadWork(work))
    var thread = pthread_t()
    let started = pthread_create(
        &thread, nil,
        { argument in
            if let argument { Unmanaged<ThreadWork>.fromOpaque(argument).takeRetainedValue().run() }
            return nil
        }, box.toOpaque())
    guard started == 0 else { throw TestFailure("pthread_create: \(String(cString: strerror(started)))") }
    defer { pthread_join(thread, nil) }
    return try other()
}

private final class ThreadWork {
    let run: @Sendable () -> Void
    init(_ run: @escaping @Sendable () -> Void) { self.run = run }
}

/// A pipe whose ends are closed with it.
final class Pipe: Sendable {
    let readEnd: Int32
    let writeEnd: Int32

    init() throws {
        var ends: [Int32] = [0, 0]
        try succeed("pipe", pipe(&ends))
        readEnd = ends[0]
        writeEnd = ends[1]
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    }

    deinit { close(readEnd) }

    /// Writes all bytes.
    func write(_ bytes: [UInt8]) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(writeEnd, $0.baseAddress, $0.count) }
            guard count > 0 else { return }
            rest = rest.dropFirst(count)
        }
    }

    /// Closes the write end; must be called once.
    func closeWriteEnd() { close(writeEnd) }
}

extension MonotonicTime {
    /// A deadline for what takes no time.
    static var soon: MonotonicTime { .now() + .seconds(5) }
}
