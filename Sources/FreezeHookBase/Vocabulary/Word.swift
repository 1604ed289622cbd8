// SPDX-License-Identifier: Apache-2.0

/// A word of a fixed set, as files have it. An unknown word, of a newer version, is kept so that its line can be shown
/// and written again unchanged; it equals no known word.
package enum Word<Value: RawRepresentable & Hashable & Sendable>: Hashable, Sendable where Value.RawValue == String {
    case known(Value)
    case unknown(String)

    /// A known word.
    package init(_ value: Value) {
        self = .known(value)
    }

    /// The word of a text.
    package init(text: String) {
        self = Value(rawValue: text).map(Word.known) ?? .unknown(text)
    }

    /// The word as files and JSON have it.
    package var text: String {
        switch self {
        case .known(let value): value.rawValue
        case .unknown(let text): text
        }
    }

    /// The known word; nil for an unknown one.
    package var value: Value? {
        if case .known(let value) = self { value } else { nil }
    }

    /// Whether the word is the known `value`.
    package static func == (word: Self, value: Value) -> Bool { word.value == value }
    /// Whether the word is another one than `value`, or unknown.
    package static func != (word: Self, value: Value) -> Bool { word.value != value }
}

extension Word where Value: Comparable {
    /// Whether the word is known and no worse than `value`.
    package func isAtLeast(_ value: Value) -> Bool { self.value.map { $0 >= value } ?? false }
}
