// SPDX-License-Identifier: Apache-2.0

import SystemPackage

/// Text of any bytes that can neither forge a log line nor control a terminal.
package enum SafeText {
    /// The bytes as text: each byte of invalid UTF-8, or of a control character but the tab, becomes `\xNN`.
    // Inlinable: a generic function of another module is called through the runtime otherwise.
    @inlinable
    package static func clean(_ bytes: some Sequence<UInt8>) -> String { clean(Array(bytes)) }

    /// The bytes of an array as text, cleaned in the same way.
    package static func clean(_ bytes: [UInt8]) -> String {
        if bytes.allSatisfy({ (0x20...0x7e).contains($0) || $0 == 0x09 }) {
            return String(decoding: bytes, as: UTF8.self)
        }
        var text = ""
        var decoder = UTF8()
        var iterator = bytes[...].makeIterator()
        var position = 0
        while true {
            switch decoder.decode(&iterator) {
            case .emptyInput:
                return text
            case .error:
                // One error can stand for several bytes: one is escaped, and decoding starts again behind it.
                text += escaped(bytes[position])
                position += 1
                decoder = UTF8()
                iterator = bytes[position...].makeIterator()
            case .scalarValue(let scalar):
                let width = UTF8.width(scalar)
                if isHarmless(scalar) {
                    text.unicodeScalars.append(scalar)
                } else {
                    for byte in bytes[position..<position + width] { text += escaped(byte) }
                }
                position += width
            }
        }
    }

    /// A text, cleaned: of a file that somebody else could have damaged, or of another version.
    package static func clean(_ text: String) -> String { clean(Array(text.utf8)) }

    /// A text in JSON, with harmful characters as JSON's own escapes: its value stays the same.
    package static func escaped(json text: String) -> String {
        // JSON's syntax is ASCII: such a character can only be part of a string.
        if text.utf8.allSatisfy({ $0 < 0x7f }) { return text }
        var result = ""
        for scalar in text.unicodeScalars {
            if scalar == "\n" || isHarmless(scalar) {
                result.unicodeScalars.append(scalar)
            } else {
                // All of them have at most 16 bits, which is one escape.
                let digits = String(scalar.value, radix: 16)
                result += "\\u" + String(repeating: "0", count: max(0, 4 - digits.count)) + digits
            }
        }
        return result
    }

    /// A path as text, cleaned.
    package static func clean(_ path: FilePath) -> String {
        clean(path.bytes)
    }

    // Harmful besides C0 and C1: line and paragraph separators, and the marks that turn the direction of writing.
    private static func isHarmless(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x09: true
        case 0..<0x20, 0x7f..<0xa0: false
        case 0x200e, 0x200f, 0x2028...0x202e, 0x2066...0x2069, 0x061c, 0xfeff: false
        default: true
        }
    }

    private static func escaped(_ byte: UInt8) -> String { "\\x\(byte.hexadecimal)" }
}
