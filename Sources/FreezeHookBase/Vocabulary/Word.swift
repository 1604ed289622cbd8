// SPDX-License-Identifier: Apache-2.0

/// A word of a fixed set as a file has it. What a newer version wrote is kept as it stands, so that a line can be shown and
/// written again unchanged: it equals no known word, and is never taken for one.
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

    /// nil for an unknown word.
    package var value: Value? {
        if case .known(let value) = self { value } else { nil }
    }

    /// Whether it is this word.
    package static func == (word: Self, value: Value) -> Bool { word.value == value }
    /// Whether it is another word, or an unknown one.
    package static func != (word: Self, value: Value) -> Bool { word.value != value }
}

extension Word where Value: Comparable {
    /// Whether it is no worse than this; an unknown word promises nothing.
    package func isAtLeast(_ value: Value) -> Bool { self.value.map { $0 >= value } ?? false }
}
