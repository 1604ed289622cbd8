// SPDX-License-Identifier: Apache-2.0

import FreezeHookBase
import SystemPackage

/// Hooks that still run although the program that started them was killed. A thaw beside them would be worthless: they
/// could lock their application a moment later.
struct Stragglers {
    let killGrace: Duration

    /// Ends the processes of the record's unfinished runs; returns the paths of their hooks. A hook is recorded before it
    /// is executed (`Spawn`).
    func end(of record: CycleRecord?) -> [FilePath] {
        // Process ids of another boot are those of anybody.
        guard let record, record.isOf(boot: KernelID.boot) else { return [] }
        return record.runs.filter { $0.end == nil }.filter { run in
            guard let process = run.process else { return false }
            let family = run.action == .thaw ? ProcessFamily(sessionOf: process) : ProcessFamily(leader: process)
            guard process.isAlive || hasMember(family, of: record.id) else { return false }
            family.end(grace: killGrace)
            return true
        }.map(\.path)
    }

    /// Whether a session whose leader is gone has a member of this cycle's. The leader's id, and the session's, may be
    /// those of others by now; while a member lives, the kernel gives them to nobody.
    private func hasMember(_ family: ProcessFamily, of cycle: String) -> Bool {
        let marker = HookEnvironment.marker(ofCycle: cycle)
        return family.living().contains { ProcessTable.environment(of: $0.pid)?.contains(marker) ?? false }
    }

    /// Ends them, and tells the log.
    func end(of record: CycleRecord?, tell log: EventLog) { tell(end(of: record), log) }

    /// Tells the log of hooks that were ended.
    func tell(_ paths: [FilePath], _ log: EventLog) {
        for path in paths {
            let text = "\(SafeText.clean(path)) was still running although its program was killed: ended"
            log.write(Event(.warning, .cycleRecovered, text))
        }
    }
}
