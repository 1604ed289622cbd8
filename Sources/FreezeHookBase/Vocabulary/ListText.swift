// SPDX-License-Identifier: Apache-2.0

/// Lists of things in sentences: `a`, `a and b`, `a, b and c`.
package enum ListText {
    /// The words with a comma between them, and `and` before the last one.
    package static func format(_ words: [String]) -> String {
        // Not joined(): the runtime looks its conformances up, which takes longer than the rest.
        var text = words.first ?? ""
        for (index, word) in words.enumerated().dropFirst() {
            text += (index == words.count - 1 ? " and " : ", ") + word
        }
        return text
    }
}
