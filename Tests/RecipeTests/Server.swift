// SPDX-License-Identifier: Apache-2.0

import Glibc
import TestSupport

/// A database server on a machine of a test.
final class Server {
    let guest: RecipeGuest
    /// The server itself, by the number it has outside.
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

    /// Ends it with a signal and waits until it has gone.
    func end(_ signal: Int32 = SIGTERM) throws {
        kill(pid, signal)
        _ = try entry.wait(within: 60)
    }

    /// Copies a directory while the server can do nothing: what a filesystem freeze makes of the copy, an image of one
    /// moment.
    func copy(_ source: String, to target: String) throws {
        try whileStopped { try guest.execute(["cp", "-a", source, target]) }
    }

    /// Does something while neither the server nor any process that it has started can do anything.
    func whileStopped(_ work: () throws -> Void) throws {
        // The first process first: it starts the others.
        var stopped: [pid_t] = []
        defer {
            for process in stopped { kill(process, SIGCONT) }
            // nsenter stops when its child does.
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
