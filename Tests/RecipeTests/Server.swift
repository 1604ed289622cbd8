// SPDX-License-Identifier: Apache-2.0

import Glibc
import TestSupport

/// A database server on a machine of a test.
final class Server {
    let guest: RecipeGuest
    /// The server's process, by its pid outside.
    let pid: pid_t
    private let entry: ChildProcess

    /// Starts a server and waits until it answers.
    init(_ arguments: [String], on guest: RecipeGuest, environment: [String: String] = [:], isReady: () -> Bool) throws
    {
        self.guest = guest
        let entry = try guest.start(arguments, environment: environment)
        self.entry = entry
        guard eventually(within: 60, { !entry.isRunning || isReady() }), entry.isRunning,
            let pid = Processes.children(of: entry.pid).first
        else {
            let result = try? entry.wait(within: 1)
            throw TestFailure("\(arguments[0]) does not answer: \(result?.stdout ?? "")\(result?.stderr ?? "")")
        }
        self.pid = pid
    }

    deinit {
        if entry.isRunning { try? end(SIGKILL) }
    }

    /// Ends the server with a signal and waits until it has gone.
    func end(_ signal: Int32 = SIGTERM) throws {
        kill(pid, signal)
        _ = try entry.wait(within: 60)
    }

    /// Copies a directory while the server is stopped: the copy is of one moment, as an image after a filesystem
    /// freeze.
    func copy(_ source: String, to target: String) throws {
        try whileStopped { try guest.execute(["cp", "-a", source, target]) }
    }

    /// Does some work while the server and its descendants are stopped.
    func whileStopped(_ work: () throws -> Void) throws {
        // The first process starts the others, so it is stopped first.
        var stopped: [pid_t] = []
        defer {
            for process in stopped { kill(process, SIGCONT) }
            // nsenter stops itself when its child is stopped.
            entry.kill(SIGCONT)
        }
        for find in [{ [self.pid] }, { Processes.descendants(of: self.pid) }] {
            for process in find() {
                kill(process, SIGSTOP)
                stopped.append(process)
                _ = eventually(within: 5) { ["T", nil].contains(Processes.state(of: process)) }
            }
        }
        try work()
    }
}
