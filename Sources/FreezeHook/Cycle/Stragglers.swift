// SPDX-License-Identifier: Apache-2.0

import FreezeHookBase
import SystemPackage

/// Hooks that still run although the program that started them was killed. A thaw beside them would be worthless: they
/// could lock their application a moment later.
struct Stragglers {
    let killGrace: Duration

    /// Ends the processes of the record's unfinished runs; returns the paths of their hooks.
    func end(of record: CycleRecord) -> [FilePath] {
        record.runs.filter { $0.end == nil }.filter { run in
            guard let process = run.process ?? unrecordedProcess(of: run, in: record) else { return false }
            let family = run.action == .thaw ? ProcessFamily(sessionOf: process) : ProcessFamily(leader: process)
            if family.living().isEmpty { return false }
            family.end(grace: killGrace)
            return true
        }.map(\.path)
    }

    /// The process of a run whose program was killed before it recorded the pid: a session's leader with the run's
    /// environment. The arguments identify it only until it executes another program.
    private func unrecordedProcess(of run: CycleRecord.Run, in record: CycleRecord) -> ProcessIdentity? {
        let wanted = [
            Array("FSFREEZE_CYCLE=\(record.id)".utf8),
            Array(HookEnvironment.hookKey.utf8) + run.path.nameBytes,
        ]
        // Holders and clients have the environment of the hook that opened the session.
        let held = record.holds.flatMap { [$0.holder.pid, $0.client?.pid] }
        let alike = ProcessTable.all().filter { entry in
            guard entry.session == entry.pid, entry.state != "Z", !held.contains(entry.pid),
                let environment = ProcessTable.environment(of: entry.pid)
            else { return false }
            return wanted.allSatisfy(environment.contains)
        }
        // Every user can give a process such an environment; a hook, too, may have changed its user.
        let own = alike.filter { ProcessTable.isOfOwnUser($0.pid) }
        let leaders = own.isEmpty ? alike : own
        let named = leaders.first { ProcessTable.arguments(of: $0.pid)?.contains(run.path.bytes) == true }
        // The hook was started before its children. The first session of a thaw whose hook has ended may be that of the
        // application.
        let process = run.action == .thaw ? named : named ?? leaders.min { $0.startTime < $1.startTime }
        return process.map { ProcessIdentity(pid: $0.pid, startTime: $0.startTime) }
    }
}
