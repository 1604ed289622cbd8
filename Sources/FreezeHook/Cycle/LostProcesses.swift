// SPDX-License-Identifier: Apache-2.0

import FreezeHookBase
import Glibc
import SystemPackage

/// The guards and holders to which no socket in the run directory leads any more: somebody has removed the directory, or
/// its files, in the window, or made it unusable. Nobody else can end them, and they would last for minutes.
struct LostProcesses {
    private let path: FilePath
    private let runDirectory: RunDirectory?
    private let killGrace: Duration
    private let hasEnded: (String) -> Bool

    /// The lost processes of the context's run directory, also when it cannot be used any more. A guard that still reads
    /// what hooks of an ended cycle left running is none of them.
    init(in context: CycleContext) {
        path = context.locations.runDirectory
        runDirectory = context.runDirectory
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
        let deed = runDirectory == nil ? "changed" : "removed files of"
        let text = "somebody has \(deed) the run directory in the window; whom it led to is ended: \(names)"
        log.write(Event(.error, .holdForgotten, text))
    }

    private var found: [(identity: ProcessIdentity, role: OwnProcess)] {
        var reachable: Set<pid_t> = [getpid()]
        for name in runDirectory?.names() ?? []
        where name.hasPrefix(Holder.socketPrefix) || name.hasPrefix(Guard.socketPrefix) {
            // Who cannot be asked may be anybody.
            guard let runDirectory, let pid = try? LocalSocket.listener(of: name, in: runDirectory) else { continue }
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
            if case .guard = role, Guard.isReader(entry.pid) { return nil }
            return (ProcessIdentity(pid: entry.pid, startTime: entry.startTime), role)
        }
    }

    private func isOfDirectory(_ role: OwnProcess) -> Bool {
        switch role {
        case .guard(let cycle, let places): places.runDirectory == path && !hasEnded(cycle)
        case .holder(let directory): directory == path
        case .drainer, .marker: false
        }
    }
}
