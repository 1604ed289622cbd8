// SPDX-License-Identifier: Apache-2.0

import FreezeHookBase

/// The outcome of a thaw.
package enum ThawOutcome: Equatable {
    /// The cycle has ended, by this thaw or one before. The summary is nil when no freeze began the cycle or its record
    /// was lost.
    case ended(CycleSummary?)
    /// Some hooks may still hold their applications: the cycle goes on until a later thaw. The summary is nil when no
    /// freeze began the cycle.
    case unthawed(CycleSummary?)
    /// The guard has ended the window, for the first time or again; the cycle ends with its thaw.
    case expired(CycleKind, again: Bool)
    /// qemu-ga holds the filesystems of this cycle frozen: its thaw will come.
    case leftAlone(cycle: String)
    /// There was no cycle to thaw.
    case nothing

    /// A note for the caller, in words; nil when there is nothing to say.
    package var note: String? {
        guard case .leftAlone(let cycle) = self else { return nil }
        return "the cycle \(cycle) is left alone: qemu-ga holds its filesystems frozen and will thaw"
    }
}
