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
        let shown = names.prefix(Self.nameLimit)
        let rest = names.count - shown.count
        var words = "as far as "
        for (index, name) in shown.enumerated() {
            let isLast = rest == 0 && index == shown.count - 1
            words += (index == 0 ? "" : isLast ? " and " : ", ") + name
        }
        if rest > 0 { words += " and \(rest) more" }
        return words + (names.count == 1 ? " tells" : " tell")
    }
}
