// SPDX-License-Identifier: Apache-2.0

import FreezeHookBase

/// The words for a good verdict that rests on hooks which declare no guarantee.
package struct Doubt: Equatable, CustomStringConvertible {
    private let names: [String]

    // A verdict is one line of a log.
    private static let nameLimit = 5

    /// The doubt about a verdict; nil for a verdict that promises nothing of applications, and without such hooks.
    package init?(_ verdict: Word<Guarantee>, undeclared names: [String]) {
        guard !names.isEmpty, verdict.isAtLeast(.nativeCopy) else { return nil }
        self.names = names
    }

    /// `as far as 10-sql tells`, `as far as 10-sql and 20-mail tell`
    package var description: String {
        let rest = names.count - Self.nameLimit
        let shown = names.prefix(Self.nameLimit) + (rest > 0 ? ["\(rest) more"] : [])
        return "as far as \(ListText.format(Array(shown))) \(names.count == 1 ? "tells" : "tell")"
    }
}
