// SPDX-License-Identifier: Apache-2.0

import FreezeHookBase

/// Why an image is no better than it is.
package struct Reason: Equatable, Sendable {
    /// The kind of a reason, for programs.
    package enum Kind: String, CaseIterable, Sendable {
        case hookFailed = "hook-failed"
        /// A hook was not called.
        case hookRefused = "hook-refused"
        /// The program was killed while the hook ran.
        case hookCutOff = "hook-cut-off"
        /// A session ended before it should have.
        case holdLost = "hold-lost"
        /// A process that a hook had left running ended before the hook's thaw.
        case leftoverEnded = "leftover-ended"
        /// The agent gave its freeze up and thawed.
        case freezeUnanswered = "freeze-unanswered"
        /// The guard ended the window.
        case guardExpired = "guard-expired"
        case noHookRan = "no-hook-ran"
        case freezeIncomplete = "freeze-incomplete"
        /// A hook may still hold its application: its thaw did not come to its end.
        case notThawed = "not-thawed"
        /// A hook promises no more.
        case weakGuarantee = "weak-guarantee"
        /// A fault of the cycle that no hook, session or guard explains.
        case fault
    }

    /// The kind; nil in the history of older versions.
    package var kind: Word<Kind>?
    /// The text: one line, cleaned.
    package var text: String

    /// A reason that this version knows.
    package init(_ kind: Kind, _ text: String) {
        self.kind = .known(kind)
        self.text = text
    }

    /// A reason as the history has it.
    package init(kind: Word<Kind>?, text: String) {
        self.kind = kind
        self.text = text
    }
}

extension [Reason] {
    /// The texts of the reasons, in their order.
    package var texts: [String] { map(\.text) }

    /// The kinds of the reasons, in their order; nil when one reason has none.
    package var kinds: [String]? {
        let kinds = compactMap(\.kind?.text)
        return kinds.count == count ? kinds : nil
    }
}
