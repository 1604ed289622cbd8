// SPDX-License-Identifier: Apache-2.0

import CLinux
import FreezeHookBase
import Glibc
import SystemPackage

/// The requests to the guard of a cycle, the process that ends the window when no thaw comes.
package enum Guard {
    /// The beginning of the names of guards' sockets in the run directory.
    static let socketPrefix = "guard-"

    /// The name of the guard's socket in the run directory.
    package static func socketName(of cycle: String) -> String { socketPrefix + cycle }

    /// Asks the guard to start a holder for this socket; false when no guard of this version does so in time.
    static func askForHolder(
        _ socket: borrowing Descriptor, _ guardSocket: String, in runDirectory: RunDirectory,
        within limit: Duration = LocalSocket.patience
    ) -> Bool {
        let answer = ask(.startHolder, passing: socket, guardSocket, in: runDirectory, until: .now() + limit)
        if case .started = answer { return true } else { return false }
    }

    /// Asks the guard to read a pipe as long as it has writers; false when no guard of this version does so in time.
    static func keep(
        _ pipe: borrowing Descriptor, of hook: String, _ guardSocket: String, in runDirectory: RunDirectory,
        within limit: Duration = LocalSocket.patience
    ) -> Bool {
        let answer = ask(.keep(hook: hook), passing: pipe, guardSocket, in: runDirectory, until: .now() + limit)
        if case .kept = answer { return true } else { return false }
    }

    private static func ask(
        _ request: GuardMessage, passing descriptor: borrowing Descriptor, _ guardSocket: String,
        in runDirectory: RunDirectory, until deadline: MonotonicTime
    ) -> GuardMessage? {
        do {
            let connection = try LocalSocket.connect(to: guardSocket, in: runDirectory, until: deadline)
            try Messages.send(request, passing: descriptor, to: connection, until: deadline)
            return try Messages.receive(GuardMessage.self, from: connection, until: deadline).message
        } catch {
            return nil
        }
    }

    /// The id of a cycle whose guard serves a socket in the run directory, and which has not ended; nil for none. Without
    /// an unfinished record it is one whose record is lost.
    package static func cycle(in runDirectory: RunDirectory, unless hasEnded: (String) -> Bool) -> String? {
        runDirectory.names().lazy.filter { $0.hasPrefix(socketPrefix) && !LocalSocket.isGone($0, in: runDirectory) }
            .map { String($0.dropFirst(socketPrefix.count)) }.first { !hasEnded($0) }
    }

    // The command line says guard, and a process can change only its name.
    private static let readerName = "fsfreeze-reader"

    /// Has others see that this guard, whose window has ended, only reads what hooks left running.
    package static func becomeReader() { clinux_set_process_name(readerName) }

    /// Whether the process is such a guard.
    static func isReader(_ pid: pid_t) -> Bool {
        readKernelFile("/proc/\(pid)/comm") == Array("\(readerName)\n".utf8)
    }

    /// Ends the guard of a cycle whose window has ended. A guard that cannot be told would thaw once more at its limit:
    /// it is killed, unless it `hasThawed`, and ends by itself.
    static func end(
        _ guardian: (process: ProcessIdentity, socket: String), hasThawed: Bool, in runDirectory: RunDirectory,
        within limit: Duration = LocalSocket.patience
    ) {
        let isTold = tell(guardian.socket, in: runDirectory, within: limit)
        if !isTold, !hasThawed, guardian.process.pid != getpid(), guardian.process.isAlive {
            ProcessFamily(leader: guardian.process).end(grace: .zero)
        }
        // The guard removes its socket too, unless it is killed before that.
        runDirectory.remove(guardian.socket)
    }

    /// Ends the guards whose sockets are in the run directory, also those that no record names, and removes the
    /// sockets.
    static func sweep(_ runDirectory: RunDirectory, within limit: Duration = LocalSocket.patience) {
        for socket in runDirectory.names() where socket.hasPrefix(socketPrefix) {
            if tell(socket, in: runDirectory, within: limit)
                || LocalSocket.isGone(socket, in: runDirectory, within: limit)
            {
                runDirectory.remove(socket)
            }
        }
    }

    /// Tells the guard behind this socket that the window has ended; false when that is impossible.
    private static func tell(_ socket: String, in runDirectory: RunDirectory, within limit: Duration) -> Bool {
        let deadline = MonotonicTime.now() + limit
        do {
            let connection = try LocalSocket.connect(to: socket, in: runDirectory, until: deadline)
            try Messages.send(GuardMessage.ended, to: connection, until: deadline)
            return true
        } catch {
            return false
        }
    }
}
