// SPDX-License-Identifier: Apache-2.0

import FreezeHookBase
import Glibc
import SystemPackage

/// The guards and holders to which no socket in the run directory leads any more: somebody has removed the directory, or
/// its files, in the window. Nobody else can end them, and they would last for minutes.
struct LostProcesses {
    private let runDirectory: RunDirectory
    private let killGrace: Duration
    private let hasEnded: (String) -> Bool

    /// The lost processes of a run directory. A guard whose cycle has ended may still read what hooks left running, and is
    /// none of them.
    init(_ runDirectory: RunDirectory, in context: CycleContext) {
        self.runDirectory = runDirectory
        killGrace = context.settings.killGrace
        hasEnded = context.hasEnded
    }

    /// The ids of the cycles of such guards.
    var cycles: [String] {
        found.compactMap { if case .guard(let cycle, _) = $0.role { cycle } else { nil } }
    }

    /// Ends them, with the clients of their sessions, and tells the log.
    func end(tell log: EventLog) {
        let found = found.map(\.identity)
        if found.isEmpty { return }
        for process in found { ProcessFamily(leader: process).end(grace: killGrace) }
        let names = found.map { "\($0.pid)" }.reduce("") { $0.isEmpty ? $1 : "\($0), \($1)" }
        let text = "somebody has removed files of the run directory in the window; whom they led to is ended: \(names)"
        log.write(Event(.error, .holdForgotten, text))
    }

    private var found: [(identity: ProcessIdentity, role: OwnProcess)] {
        var reachable: Set<pid_t> = [getpid()]
        for name in runDirectory.names() where name.hasPrefix(Holder.socketPrefix) || name.hasPrefix(Guard.socketPrefix)
        {
            // Who cannot be asked may be anybody.
            guard let pid = try? LocalSocket.listener(of: name, in: runDirectory) else { continue }
            reachable.insert(pid)
        }
        guard let own = ProcessTable.entry(getpid()) else { return [] }
        // A later one may not have made its socket yet.
        return ProcessTable.all().filter { $0.startTime < own.startTime && $0.state != "Z" }.compactMap { entry in
            // The program first: a user's processes may have megabytes of arguments.
            guard !reachable.contains(entry.pid), ProcessTable.isOwnProgram(entry.pid),
                let arguments = ProcessTable.arguments(of: entry.pid),
                let role = OwnProcess(arguments: Array(arguments.dropFirst())), isOfDirectory(role)
            else { return nil }
            return (ProcessIdentity(pid: entry.pid, startTime: entry.startTime), role)
        }
    }

    private func isOfDirectory(_ role: OwnProcess) -> Bool {
        switch role {
        case .guard(let cycle, let places): places.runDirectory == runDirectory.path && !hasEnded(cycle)
        case .holder(let path): path == runDirectory.path
        case .drainer, .marker: false
        }
    }
}
