// SPDX-License-Identifier: Apache-2.0

import FreezeHookBase

/// What a thaw is run for, and what is different for that.
package enum ThawOccasion {
    /// qemu-ga or an administrator calls for it.
    case thaw
    /// A rehearsal has held the applications; `fault` is why it ends before its time.
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

    /// How the lock is dealt with.
    enum Lock {
        /// Without the lock nothing is done.
        case needed
        /// Goes on without the lock: its owner may hang in the kernel, and a lock of an application that is not released
        /// is an outage.
        case wanted
        /// The caller has it.
        case held
    }

    var lock: Lock {
        switch self {
        case .thaw, .recoverCommand: .needed
        case .rehearsalEnd, .killedFreeze, .expiry: .wanted
        case .recovery: .held
        }
    }

    /// What the hooks are told.
    var reason: RunReason {
        switch self {
        case .thaw: .thaw
        case .rehearsalEnd: .rehearsal
        case .recovery, .recoverCommand, .killedFreeze: .recover
        case .expiry: .expired
        }
    }

    /// The moment of the cycle that begins with it.
    var moment: CycleMoment { endsCycle ? .thawing : .expired }

    /// Whether the cycle is over then: it goes into the history, and its record is removed.
    var endsCycle: Bool {
        if case .expiry = self { false } else { true }
    }

    /// Whether its events go to the run directory and wait there for a thaw.
    var defersEvents: Bool { !endsCycle }

    /// The moment at which the hooks have used up their time.
    func deadline(from begin: MonotonicTime, under settings: Settings) -> MonotonicTime {
        if case .recovery(_, let deadline) = self { deadline } else { begin + settings.thawTimeout }
    }
}
