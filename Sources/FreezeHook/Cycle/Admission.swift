// SPDX-License-Identifier: Apache-2.0

import FreezeHookBase

/// Whether a cycle may begin now.
enum Admission {
    /// The decision before the first hook.
    enum Decision {
        case proceed
        /// The cycle of this record is thawed first: its own thaw never came.
        case recover(CycleRecord)
        case refuse(FreezeError)
    }

    /// Decides by the outcome of waiting for the lock, by the record of a cycle that has not ended, and by whether
    /// qemu-ga holds filesystems frozen.
    static func decide(
        _ kind: CycleKind, lock: RunDirectory.Lock, unfinished record: CycleRecord?,
        agentIsFrozen: @autoclosure () -> Bool
    ) -> Decision {
        if case .busy = lock { return .refuse(.busy(for: kind)) }
        switch kind {
        case .backup: return record.map { recovery(of: $0, lock, agentIsFrozen()) } ?? .proceed
        case .rehearsal:
            // A rehearsal gives way to everything else.
            if let record { return .refuse(.unfinished(record.kind, cycle: record.id)) }
            return agentIsFrozen() ? .refuse(.filesystemsFrozen) : .proceed
        }
    }

    private static func recovery(
        of record: CycleRecord, _ lock: RunDirectory.Lock, _ agentIsFrozen: @autoclosure () -> Bool
    ) -> Decision {
        guard record.isFrozen, record.kind == .backup else { return .recover(record) }
        // Waited for a freeze: refuse. Waited for the guard or a thaw: go on.
        if case .waited = lock, !record.isBeingThawed { return .refuse(.frozenMeanwhile(cycle: record.id)) }
        return agentIsFrozen() ? .refuse(.agentHoldsFilesystems(cycle: record.id)) : .recover(record)
    }
}
