// SPDX-License-Identifier: Apache-2.0

/// One line of a state file: fields of any bytes, separated by tabs. A tab, a newline or a `%` in a field becomes
/// `%09`, `%0a` or `%25`.
package enum FieldLine {
    private static let separator = UInt8(ascii: "\t")
    private static let newline = UInt8(ascii: "\n")
    private static let mark = UInt8(ascii: "%")

    /// The line of these fields, with its newline.
    package static func encode(_ fields: [[UInt8]]) -> [UInt8] {
        Array(fields.map(escape).joined(separator: [separator])) + [newline]
    }

    /// The fields of a line without its newline.
    package static func decode(_ line: ArraySlice<UInt8>) -> [[UInt8]] {
        line.split(separator: separator, omittingEmptySubsequences: false).map(unescape)
    }

    /// The whole lines of a file's contents; a last line that a kill has torn is skipped.
    package static func lines(of contents: [UInt8]) -> [ArraySlice<UInt8>] {
        guard let end = contents.lastIndex(of: newline) else { return [] }
        return contents[..<end].split(separator: newline)
    }

    private static func escape(_ field: [UInt8]) -> [UInt8] {
        field.flatMap { byte -> [UInt8] in
            guard byte == separator || byte == newline || byte == mark else { return [byte] }
            return Array("%\(byte.hexadecimal)".utf8)
        }
    }

    private static func unescape(_ field: ArraySlice<UInt8>) -> [UInt8] {
        var result: [UInt8] = []
        var rest = field
        while let byte = rest.popFirst() {
            if byte == mark, let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16) {
                result.append(value)
                rest = rest.dropFirst(2)
            } else {
                result.append(byte)
            }
        }
        return result
    }
}
