// SPDX-License-Identifier: Apache-2.0

/// Numbers of things in messages: `1 hook`, `3 hooks`.
package enum CountText {
    /// The number and the noun, which gets an `s` for any number but 1.
    package static func format(_ count: Int, _ noun: String) -> String {
        "\(count) \(noun)\(count == 1 ? "" : "s")"
    }
}
