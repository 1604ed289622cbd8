// SPDX-License-Identifier: Apache-2.0

import FreezeHookBase

/// The occasion of a thaw, with the lock, reason, deadline and end that follow from it.
package enum ThawOccasion {
    /// qemu-ga or an administrator asks for a thaw.
    case thaw
    /// A rehearsal has held the applications; `fault` is why the hold ended early, nil when it did not.
    case rehearsalEnd(id: String, fault: String?)
    /// A freeze, which has the lock, has found a cycle whose thaw never came.
    case recovery(CycleRecord, until: MonotonicTime)
    /// `fsfreeze-hook recover`
    case recoverCommand
    /// The guard's freeze was killed before its end: qemu-ga goes on without freezing, and no thaw comes.
    case killedFreeze(id: String)
    /// No thaw came within the limit, and the guard ends the window. The record stays for the thaw that may still come,
    /// and nothing is written to a disk or sent to the journal: the filesystems may be frozen.
    case expiry(id: String, limit: Duration)

    /// The need for the lock.
    enum Lock {
        /// Without the lock the thaw fails.
        case needed
        /// Goes on without the lock: its owner may hang in the kernel, and an application that stays locked is an
        /// outage.
        case wanted
        /// The caller has the lock.
        case held
    }

    var lock: Lock {
        switch self {
        case .thaw, .recoverCommand: .needed
        case .rehearsalEnd, .killedFreeze, .expiry: .wanted
        case .recovery: .held
        }
    }

    /// The reason that hooks get.
    var reason: RunReason {
        switch self {
        case .thaw: .thaw
        case .rehearsalEnd: .rehearsal
        case .recovery, .recoverCommand, .killedFreeze: .recover
        case .expiry: .expired
        }
    }

    /// The moment of the cycle at which the thaw begins.
    var moment: CycleMoment { endsCycle ? .thawing : .expired }

    /// Whether the cycle ends with the thaw: it goes into the history, and its record is removed.
    var endsCycle: Bool {
        if case .expiry = self { false } else { true }
    }

    /// Whether events wait in the run directory for a thaw.
    var defersEvents: Bool { !endsCycle }

    /// The deadline of the thaw hooks.
    func deadline(from begin: MonotonicTime, under settings: Settings) -> MonotonicTime {
        if case .recovery(_, let deadline) = self { deadline } else { begin + settings.thawTimeout }
    }
}
