// SPDX-License-Identifier: Apache-2.0

import FreezeHookBase

/// The target of a thaw, by the record that it finds.
enum ThawTarget {
    /// The hooks of the record are called.
    case cycle(CycleRecord)
    /// No freeze began a cycle: every hook of the directory is called, in a record of its own, so that hooks may hold
    /// sessions and leave something running.
    case everyHook
    /// The cycle has not ended, but its record is lost: /run was full, or somebody has removed the record. Every hook
    /// of the directory is called.
    case lostCycle(id: String, CycleKind)
    /// qemu-ga holds the filesystems of this cycle frozen: its thaw will come.
    case leftAlone(id: String)
    /// Another thaw has ended the cycle.
    case ended(CycleSummary)
    case nothing
}

extension ThawOccasion {
    /// Decides by the record in the run directory, of any cycle, by whether qemu-ga holds filesystems frozen, and by
    /// the history's entry of a cycle, which is read only where it matters.
    func target(
        record: CycleRecord?, agentIsFrozen: @autoclosure () -> Bool, history: (String) -> CycleSummary?
    ) -> ThawTarget {
        let unfinished = record.flatMap { $0.isUnfinished ? $0 : nil }
        switch self {
        case .thaw, .giveUp:
            return unfinished?.target ?? .everyHook
        case .rehearsalEnd(let id, _):
            if let unfinished, unfinished.id == id { return unfinished.target }
            // The history gets a cycle after its record has ended.
            if let record, record.id == id, record.hasEnded { return .ended(CycleSummary(of: record)) }
            if let ended = history(id) { return .ended(ended) }
            // Another cycle began only after it had thawed this one.
            return unfinished == nil ? .lostCycle(id: id, .rehearsal) : .nothing
        case .recovery(let record, _):
            return record.target
        case .recoverCommand:
            guard let unfinished else { return .nothing }
            return unfinished.isFrozen && agentIsFrozen() ? .leftAlone(id: unfinished.id) : unfinished.target
        case .killedFreeze(let id), .retry(let id):
            return unfinished.flatMap { $0.id == id ? $0.target : nil } ?? .nothing
        case .expiry(let id, _):
            if let record { return record.id == id && Self.expires(record) ? record.target : .nothing }
            return history(id) == nil ? .lostCycle(id: id, .backup) : .nothing
        }
    }

    /// Whether the guard thaws at its limit: once, and again what has no answer yet.
    private static func expires(_ record: CycleRecord) -> Bool {
        !record.hasEnded && (!record.hasExpired || !record.mayBeHeld.isEmpty)
    }
}

extension CycleRecord {
    /// What a thaw of this cycle has to do: the record of a thaw that was killed before its last hook may have no list.
    fileprivate var target: ThawTarget { thawsEveryHook ? .lostCycle(id: id, kind) : .cycle(self) }
}
