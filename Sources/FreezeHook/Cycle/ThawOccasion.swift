// SPDX-License-Identifier: Apache-2.0

import FreezeHookBase

/// The occasion of a thaw, with the lock, reason, deadline and end that follow from it.
package enum ThawOccasion {
    /// qemu-ga or an administrator asks for a thaw.
    case thaw
    /// An administrator asks for a last thaw: what then may still be held is given up.
    case giveUp
    /// A rehearsal has held the applications; `fault` is why the hold ended early, nil when it did not.
    case rehearsalEnd(id: String, fault: String?)
    /// A freeze, which has the lock, has found a cycle whose thaw never came.
    case recovery(CycleRecord, until: MonotonicTime)
    /// `fsfreeze-hook recover`
    case recoverCommand
    /// The guard's freeze was killed before its end: qemu-ga goes on without freezing, and no thaw comes.
    case killedFreeze(id: String)
    /// A thaw has left something held, and the guard tries again.
    case retry(id: String)
    /// No thaw came within the limit, and the guard ends the window. The record stays for the thaw that may still come,
    /// and nothing is written to a disk or sent to the journal: the filesystems may be frozen.
    case expiry(id: String, limit: Duration)

    /// The need for the lock.
    enum Lock {
        /// Goes on without the lock after a while: its owner may hang in the kernel or be stopped, and an application
        /// that stays locked is an outage.
        case wanted
        /// The caller has the lock.
        case held
    }

    var lock: Lock {
        switch self {
        case .thaw, .giveUp, .recoverCommand, .rehearsalEnd, .killedFreeze, .retry, .expiry: .wanted
        case .recovery: .held
        }
    }

    /// The reason that hooks get.
    var reason: RunReason {
        switch self {
        case .thaw, .giveUp: .thaw
        case .rehearsalEnd: .rehearsal
        case .recovery, .recoverCommand, .killedFreeze, .retry: .recover
        case .expiry: .expired
        }
    }

    /// The moment of the cycle at which the thaw begins.
    var moment: CycleMoment { endsCycle ? .thawing : .expired }

    /// Whether the cycle ends with the thaw, once all is thawed: it goes into the history, and its record is removed.
    var endsCycle: Bool {
        if case .expiry = self { false } else { true }
    }

    /// Whether events wait in the run directory for a thaw.
    var defersEvents: Bool { !endsCycle }

    /// Whether the cycle ends although something may still be held.
    var endsUnthawed: Bool {
        switch self {
        // The freeze's own record takes over what may be held.
        case .giveUp, .recovery: true
        case .thaw, .rehearsalEnd, .recoverCommand, .killedFreeze, .retry, .expiry: false
        }
    }

    /// The times of the thaw hooks. Each has its whole limit, whatever the others take; only a freeze cannot wait for a
    /// lost cycle: it tries each hook once, and its own thaw calls those again that are left.
    func times(from begin: MonotonicTime, under settings: Settings) -> HookSequence.ThawTimes {
        switch self {
        case .recovery(_, let deadline): HookSequence.ThawTimes(deadline: deadline)
        case .giveUp: HookSequence.ThawTimes()
        case .thaw, .rehearsalEnd, .recoverCommand, .killedFreeze, .retry, .expiry:
            HookSequence.ThawTimes(retryEnd: begin + settings.thawTimeout)
        }
    }
}
