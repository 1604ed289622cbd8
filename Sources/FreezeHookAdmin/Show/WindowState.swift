// SPDX-License-Identifier: Apache-2.0

import FreezeHook
import FreezeHookBase

/// The present state, by the record of an unfinished cycle.
struct WindowState: Equatable {
    /// The state of the applications.
    var state: Status.State
    var isRehearsal: Bool
    /// The end of the freeze; nil when nothing is frozen now.
    var frozenSince: WallTime?
    /// The time until the guard ends the window; nil when no guard would.
    var guardTimeLeft: Duration?
    /// The sessions that have not been released.
    var holds: [Status.Hold]
    /// The states to act on, the weightiest first.
    var attentions: [Attention] = []

    /// The state at the moment `now`. `isWorkedOn` says whether a freeze or a thaw holds the lock, `isAlive` whether a
    /// process runs.
    init(
        of record: CycleRecord, isWorkedOn: Bool, holdLimit: Duration, now: MonotonicTime,
        isAlive: (ProcessIdentity) -> Bool
    ) {
        isRehearsal = record.isRehearsal
        if record.hasExpired {
            state = isWorkedOn ? .thawing : .thawed
        } else if record.moments[.thawing] != nil {
            state = .thawing
        } else {
            state = record.isFrozen ? .frozen : .freezing
        }
        holds = record.holds.filter { $0.ending != .released }.map { hold in
            Status.Hold(name: hold.name, hook: hold.hook, alive: hold.ending == nil && isAlive(hold.holder))
        }
        if record.hasExpired { attentions.append(.windowExpired(cycle: record.id)) }
        if let frozen = record.moments[.frozen], state == .frozen {
            frozenSince = frozen.wall
            if let guardian = record.guardian {
                if isAlive(guardian.process) {
                    guardTimeLeft = max(.zero, holdLimit - (now - frozen.monotonic))
                } else {
                    attentions.append(.guardKilled(cycle: record.id))
                }
            }
        }
        // An expired window may lack the end of its freeze in the record although the freeze was not killed.
        let held = record.mayBeHeld
        let isThawed = record.hasExpired || !record.wasBegun || !held.isEmpty && record.moments[.thawing] != nil
        if !isWorkedOn && !record.isFrozen && !isThawed { attentions.append(.freezeKilled(cycle: record.id)) }
        attentions += held.map { .mayBeHeld(hook: $0.name) }
        attentions += holds.filter { !$0.alive }.map { .sessionLost(name: $0.name) }
    }
}
