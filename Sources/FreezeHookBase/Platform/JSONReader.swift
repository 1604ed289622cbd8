// SPDX-License-Identifier: Apache-2.0

extension JSON {
    /// The value of the bytes; nil when they are not one value, or are longer or more deeply nested than the limits.
    package init?(parsing bytes: some Collection<UInt8>) {
        guard bytes.count <= JSONReader.sizeLimit else { return nil }
        var reader = JSONReader(Array(bytes))
        guard let value = reader.document() else { return nil }
        self = value
    }
}

/// Reads JSON (RFC 8259). A number beyond the limits of its type becomes that limit.
private struct JSONReader {
    // The limit of a cycle record, which no line of the history exceeds.
    static let sizeLimit = 64 << 20
    // The program's own files are nested four levels deep.
    private static let depthLimit = 32

    private let bytes: [UInt8]
    private var position = 0

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
    }

    mutating func document() -> JSON? {
        guard let value = value(depth: 0) else { return nil }
        skipBlanks()
        return position == bytes.count ? value : nil
    }

    private var next: UInt8? { position < bytes.count ? bytes[position] : nil }

    private mutating func skipBlanks() {
        while let byte = next, byte == 0x20 || byte == 0x09 || byte == 0x0a || byte == 0x0d { position += 1 }
    }

    /// Skips blanks and the letter; false when another byte follows the blanks.
    private mutating func take(_ letter: Unicode.Scalar) -> Bool {
        skipBlanks()
        guard next == UInt8(ascii: letter) else { return false }
        position += 1
        return true
    }

    private mutating func value(depth: Int) -> JSON? {
        skipBlanks()
        guard depth <= Self.depthLimit, let first = next else { return nil }
        switch first {
        case UInt8(ascii: "{"): return object(depth: depth)
        case UInt8(ascii: "["): return array(depth: depth)
        case UInt8(ascii: "\""): return string().map(JSON.string)
        case UInt8(ascii: "t"): return word("true", .bool(true))
        case UInt8(ascii: "f"): return word("false", .bool(false))
        case UInt8(ascii: "n"): return word("null", .null)
        default: return number()
        }
    }

    private mutating func word(_ word: String, _ value: JSON) -> JSON? {
        guard bytes[position...].starts(with: word.utf8) else { return nil }
        position += word.utf8.count
        return value
    }

    private mutating func array(depth: Int) -> JSON? {
        position += 1
        var values: [JSON] = []
        if take("]") { return .array(values) }
        repeat {
            guard let value = value(depth: depth + 1) else { return nil }
            values.append(value)
        } while take(",")
        return take("]") ? .array(values) : nil
    }

    private mutating func object(depth: Int) -> JSON? {
        position += 1
        var object: [String: JSON] = [:]
        if take("}") { return .object(object) }
        repeat {
            skipBlanks()
            guard next == UInt8(ascii: "\""), let key = string(), take(":"), let value = value(depth: depth + 1) else {
                return nil
            }
            object[key] = value
        } while take(",")
        return take("}") ? .object(object) : nil
    }

    private mutating func number() -> JSON? {
        let start = position
        let isNegative = next == UInt8(ascii: "-")
        if isNegative { position += 1 }
        guard let first = next else { return nil }
        let count = digits()
        // RFC 8259 allows a leading zero only alone.
        if count == 0 || first == UInt8(ascii: "0") && count > 1 { return nil }
        var isWhole = true
        if next == UInt8(ascii: ".") {
            isWhole = false
            position += 1
            if digits() == 0 { return nil }
        }
        if let byte = next, byte | 0x20 == UInt8(ascii: "e") {
            isWhole = false
            position += 1
            if let sign = next, sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-") { position += 1 }
            if digits() == 0 { return nil }
        }
        let text = String(decoding: bytes[start..<position], as: UTF8.self)
        if isWhole { return .integer(Int64(text) ?? (isNegative ? .min : .max)) }
        guard let number = Double(text) else { return nil }
        let largest = Double.greatestFiniteMagnitude
        return .number(min(max(number, -largest), largest))
    }

    /// Skips digits and counts them.
    private mutating func digits() -> Int {
        let start = position
        while let byte = next, (0x30...0x39).contains(byte) { position += 1 }
        return position - start
    }

    private mutating func string() -> String? {
        position += 1
        var text: [UInt8] = []
        while let byte = next {
            position += 1
            switch byte {
            case UInt8(ascii: "\""): return String(validating: text, as: UTF8.self)
            case UInt8(ascii: "\\"):
                guard let scalar = escape() else { return nil }
                text += UTF8.encode(scalar).map(Array.init) ?? []
            case 0..<0x20: return nil
            default: text.append(byte)
            }
        }
        return nil
    }

    /// The scalar behind a backslash.
    private mutating func escape() -> Unicode.Scalar? {
        guard let letter = next else { return nil }
        position += 1
        switch letter {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return Unicode.Scalar(letter)
        case UInt8(ascii: "b"): return "\u{8}"
        case UInt8(ascii: "f"): return "\u{c}"
        case UInt8(ascii: "n"): return "\n"
        case UInt8(ascii: "r"): return "\r"
        case UInt8(ascii: "t"): return "\t"
        case UInt8(ascii: "u"):
            guard let unit = hexadecimal() else { return nil }
            guard (0xd800..<0xdc00).contains(unit) else { return Unicode.Scalar(unit) }
            // A high surrogate: the low one follows.
            guard bytes[position...].starts(with: "\\u".utf8) else { return nil }
            position += 2
            guard let low = hexadecimal(), (0xdc00..<0xe000).contains(low) else { return nil }
            return Unicode.Scalar(0x10000 + (unit - 0xd800) << 10 + (low - 0xdc00))
        default: return nil
        }
    }

    private mutating func hexadecimal() -> UInt32? {
        guard position + 4 <= bytes.count else { return nil }
        let digits = bytes[position..<position + 4]
        position += 4
        guard digits.allSatisfy({ Character(Unicode.Scalar($0)).isHexDigit }) else { return nil }
        return UInt32(String(decoding: digits, as: UTF8.self), radix: 16)
    }
}
