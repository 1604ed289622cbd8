// SPDX-License-Identifier: Apache-2.0

import FreezeHookBase

/// A freeze that was given up and thawed again.
package struct Rollback: Equatable, Sendable, CustomStringConvertible {
    /// Why the freeze was given up.
    package var cause: FreezeFailure
    /// The time from the cycle's start to the failure.
    package var elapsed: Duration
    /// The number of hooks whose thaw failed.
    package var thawFailures: Int
    /// The names of the hooks that may still hold their application.
    package var mayBeHeld: [String] = []
    /// The summary of the cycle; nil when its record was lost.
    package var cycle: CycleSummary?

    package var description: String {
        let outcome =
            if !mayBeHeld.isEmpty {
                "rolled back, but \(mayBeHeld.joined(separator: ", ")) may still be held"
            } else {
                thawFailures == 0 ? "rolled back, nothing is frozen" : "rolled back, but \(thawFailures) failed to thaw"
            }
        return "\(cause) after \(DurationText.seconds(elapsed)) s; \(outcome)"
    }
}
