// SPDX-License-Identifier: Apache-2.0

import Glibc

/// The result of a program that has ended.
package struct ProcessResult: Sendable {
    /// The exit status; nil when a signal ended the program.
    package var status: Int32?
    /// The signal that ended the program; nil for none.
    package var signal: Int32?
    package var stdout: String
    package var stderr: String
    /// The seconds from its start to its end.
    package var seconds: Double
}

/// A program that a test has started. Its output goes to files, so that nothing it leaves behind holds up the test.
package final class ChildProcess {
    package let pid: pid_t
    private let begin: Double
    private let output: Int32
    private let errors: Int32
    private var end: (status: Int32, seconds: Double)?

    /// Starts a program found through PATH, with default signal dispositions, an empty signal mask and a process group
    /// of its own.
    ///
    /// Standard input is /dev/null. `environment` is the whole environment. A terminal becomes all three standard
    /// descriptors and the controlling terminal, in a session of its own.
    package init(_ arguments: [String], environment: [String: String], terminal: Pseudoterminal? = nil) throws {
        output = try Self.unnamedFile()
        errors = try Self.unnamedFile()
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        if let terminal {
            // open(2): a session leader without a controlling terminal gets the terminal that it opens.
            posix_spawn_file_actions_addopen(&actions, 0, terminal.path, O_RDWR, 0)
            posix_spawn_file_actions_adddup2(&actions, 0, 1)
            posix_spawn_file_actions_adddup2(&actions, 0, 2)
        } else {
            posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
            posix_spawn_file_actions_adddup2(&actions, output, 1)
            posix_spawn_file_actions_adddup2(&actions, errors, 2)
        }
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var signals = sigset_t()
        sigfillset(&signals)
        posix_spawnattr_setsigdefault(&attributes, &signals)
        sigemptyset(&signals)
        posix_spawnattr_setsigmask(&attributes, &signals)
        // A hook that signals its process group must never reach the tests.
        posix_spawnattr_setpgroup(&attributes, 0)
        let own = terminal == nil ? Int32(POSIX_SPAWN_SETPGROUP) : Self.setsid
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK) | Int16(own))

        let argv = arguments.map { strdup($0) } + [nil]
        let envp = environment.map { strdup("\($0.key)=\($0.value)") } + [nil]
        defer { for string in argv + envp { free(string) } }
        var child: pid_t = 0
        begin = monotonicSeconds()
        let result = posix_spawnp(&child, arguments[0], &actions, &attributes, argv, envp)
        guard result == 0 else {
            throw TestFailure("cannot start \(arguments[0]): \(String(cString: strerror(result)))")
        }
        pid = child
    }

    // POSIX_SPAWN_SETSID, which glibc declares only with _GNU_SOURCE.
    private static let setsid: Int32 = 0x80

    deinit {
        if end == nil {
            Glibc.kill(pid, SIGKILL)
            waitpid(pid, nil, 0)
        }
        close(output)
        close(errors)
    }

    /// Sends a signal, unless the process was waited for already.
    package func kill(_ signal: Int32) {
        if end == nil { Glibc.kill(pid, signal) }
    }

    /// Whether the process has not ended yet.
    package var isRunning: Bool {
        poll()
        return end == nil
    }

    /// Waits for the process' end; a process that takes longer is killed and fails the test.
    package func wait(within seconds: Double = 60) throws -> ProcessResult {
        guard eventually(within: seconds, { !isRunning }), let end else {
            let command = Processes.commandLine(of: pid)
            kill(SIGKILL)
            throw TestFailure("still running after \(seconds) s: \(command); standard error: \(Self.text(of: errors))")
        }
        let signal = end.status & 0x7f
        return ProcessResult(
            status: signal == 0 ? (end.status >> 8) & 0xff : nil, signal: signal == 0 ? nil : signal,
            stdout: Self.text(of: output), stderr: Self.text(of: errors), seconds: end.seconds)
    }

    private func poll() {
        var status: Int32 = 0
        if end == nil, waitpid(pid, &status, WNOHANG) == pid { end = (status, monotonicSeconds() - begin) }
    }

    private static func unnamedFile() throws -> Int32 {
        let path = "/tmp/fsfreeze-hook-output.\(UInt64.random(in: 0 ... .max))"
        let descriptor = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw TestFailure("\(path): \(String(cString: strerror(errno)))") }
        unlink(path)
        return descriptor
    }

    private static func text(of descriptor: Int32) -> String {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { return "" }
        // The first MiB shows enough of a program that fills the disk.
        var bytes = [UInt8](repeating: 0, count: min(Int(status.st_size), 1 << 20))
        let count = pread(descriptor, &bytes, bytes.count, 0)
        return String(decoding: bytes.prefix(max(0, count)), as: UTF8.self)
    }
}
