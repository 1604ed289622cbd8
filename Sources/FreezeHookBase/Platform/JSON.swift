// SPDX-License-Identifier: Apache-2.0

/// A JSON value (RFC 8259), written and read without Foundation.
package enum JSON: Equatable, Sendable {
    case null
    case bool(Bool)
    case integer(Int64)
    case number(Double)
    case string(String)
    case array([JSON])
    case object([String: JSON])

    /// An object of these fields; fields without a value are left out.
    package init(fields: KeyValuePairs<String, JSON?>) {
        var object: [String: JSON] = [:]
        for (key, value) in fields { object[key] = value }
        self = .object(object)
    }

    /// The value of an object's key; nil when it is missing or null.
    package subscript(_ key: String) -> JSON? {
        guard case .object(let object) = self, let value = object[key], value != .null else { return nil }
        return value
    }

    /// The text of a string; nil for any other value.
    package var string: String? {
        if case .string(let text) = self { text } else { nil }
    }

    /// The value of true or false; nil for any other.
    package var bool: Bool? {
        if case .bool(let value) = self { value } else { nil }
    }

    /// A number without a fraction, held within the limits of 64 bits; nil for any other value.
    package var integer: Int64? {
        switch self {
        case .integer(let number): number
        case .number(let number) where number == number.rounded():
            Int64(exactly: number) ?? (number < 0 ? .min : .max)
        default: nil
        }
    }

    /// The value of a number; nil for any other.
    package var number: Double? {
        switch self {
        case .integer(let number): Double(number)
        case .number(let number): number
        default: nil
        }
    }

    /// The values of an array; nil for any other value.
    package var array: [JSON]? {
        if case .array(let values) = self { values } else { nil }
    }

    /// The fields of an object; nil for any other value.
    package var object: [String: JSON]? {
        if case .object(let object) = self { object } else { nil }
    }
}

// MARK: - Writing

extension JSON {
    /// The value on one line: object keys in byte order, whole numbers without a fraction, slashes not escaped.
    package var text: String {
        var text = ""
        write(to: &text)
        return text
    }

    private func write(to text: inout String) {
        switch self {
        case .null: text += "null"
        case .bool(let value): text += value ? "true" : "false"
        case .integer(let number): text += "\(number)"
        case .number(let number): text += Self.text(of: number)
        case .string(let string): Self.write(string, to: &text)
        case .array(let values):
            text += "["
            for (index, value) in values.enumerated() {
                if index > 0 { text += "," }
                value.write(to: &text)
            }
            text += "]"
        case .object(let object):
            text += "{"
            let keys = object.keys.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
            for (index, key) in keys.enumerated() {
                if index > 0 { text += "," }
                Self.write(key, to: &text)
                text += ":"
                (object[key] ?? .null).write(to: &text)
            }
            text += "}"
        }
    }

    private static func text(of number: Double) -> String {
        // JSON has no infinity and no NaN.
        guard number.isFinite else { return "null" }
        let text = number.description
        return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
    }

    private static func write(_ string: String, to text: inout String) {
        text += "\""
        for scalar in string.unicodeScalars {
            switch scalar {
            case "\"": text += "\\\""
            case "\\": text += "\\\\"
            case "\u{8}": text += "\\b"
            case "\u{c}": text += "\\f"
            case "\n": text += "\\n"
            case "\r": text += "\\r"
            case "\t": text += "\\t"
            case "\0"..<" ":
                let digits = String(scalar.value, radix: 16)
                text += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: text.unicodeScalars.append(scalar)
            }
        }
        text += "\""
    }
}
