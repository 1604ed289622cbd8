// SPDX-License-Identifier: Apache-2.0

import FreezeHookBase
import SystemPackage

/// Hooks that still run although the program that started them was killed. A thaw beside them would be worthless: they
/// could lock their application a moment later.
struct Stragglers {
    let killGrace: Duration

    /// Ends the processes of the record's unfinished runs; returns the paths of their hooks. A hook is recorded before it
    /// is executed (`Spawn`).
    func end(of record: CycleRecord) -> [FilePath] {
        // Process ids of another boot are those of anybody.
        guard record.isOf(boot: KernelID.boot) else { return [] }
        return record.runs.filter { $0.end == nil }.filter { run in
            guard let process = run.process else { return false }
            let family = run.action == .thaw ? ProcessFamily(sessionOf: process) : ProcessFamily(leader: process)
            if family.living().isEmpty { return false }
            family.end(grace: killGrace)
            return true
        }.map(\.path)
    }

    /// Ends them, and tells the log.
    func end(of record: CycleRecord?, tell log: EventLog) {
        for path in record.map(end) ?? [] {
            let text = "\(SafeText.clean(path)) was still running although its program was killed: ended"
            log.write(Event(.warning, .cycleRecovered, text))
        }
    }
}
