// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import FreezeHookBase

/// JSON as administration prints and keeps it: snake_case keys in a fixed order.
package enum JSONText {
    /// The value over several lines, as the commands print it.
    package static func encode(_ value: some Encodable) throws -> String {
        // The encoder leaves C1 controls, which a terminal obeys, as they are.
        SafeText.escaped(json: try text(of: value, [.prettyPrinted]))
    }

    /// The value on one line, as the manifest of a set-up keeps it.
    package static func line(of value: some Encodable) throws -> String {
        try text(of: value, [])
    }

    /// The value of a text; nil when the text is no JSON of the type.
    package static func value<Value: Decodable>(of type: Value.Type, in bytes: [UInt8]) -> Value? {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        return try? decoder.decode(type, from: Data(bytes))
    }

    private static func text(of value: some Encodable, _ formatting: JSONEncoder.OutputFormatting) throws -> String {
        let encoder = JSONEncoder()
        encoder.keyEncodingStrategy = .convertToSnakeCase
        encoder.outputFormatting = formatting.union([.sortedKeys, .withoutEscapingSlashes])
        return String(decoding: try encoder.encode(value), as: UTF8.self)
    }
}
