// SPDX-License-Identifier: Apache-2.0

import SystemPackage

/// Words of a shell command that an administrator copies.
package enum ShellText {
    // The bytes that no shell treats specially.
    private static let plain = Set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_@%+=:,./-".utf8)

    /// The path as one word.
    package static func quoted(_ path: FilePath) -> String { quoted(path.bytes) }

    /// The text as one word.
    package static func quoted(_ text: String, always: Bool = false) -> String {
        quoted(Array(text.utf8), always: always)
    }

    /// The bytes as one word, in quotes unless they are plain and `always` is false. Bytes that must not reach a
    /// terminal become octal escapes in `$'…'` (POSIX.1-2024; bash, zsh, ksh, busybox).
    package static func quoted(_ bytes: [UInt8], always: Bool = false) -> String {
        let text = String(decoding: bytes, as: UTF8.self)
        if !always && !bytes.isEmpty && bytes.allSatisfy(plain.contains) { return text }
        if bytes.contains(0x09) || SafeText.clean(bytes) != text {
            return "$'" + bytes.map(escaped).joined() + "'"
        }
        // Scalars: to Swift a quote and an accent behind it are one character, which is no quote.
        let parts = text.unicodeScalars.split(separator: "'", omittingEmptySubsequences: false)
        return "'" + parts.map { String($0) }.joined(separator: #"'\''"#) + "'"
    }

    private static func escaped(_ byte: UInt8) -> String {
        if (0x20...0x7e).contains(byte) && byte != UInt8(ascii: "'") && byte != UInt8(ascii: "\\") {
            return String(UnicodeScalar(byte))
        }
        // Three digits: the shell would take a digit that follows as part of a shorter escape.
        let digits = String(byte, radix: 8)
        return "\\" + String(repeating: "0", count: 3 - digits.count) + digits
    }
}
