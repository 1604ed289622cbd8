// SPDX-License-Identifier: Apache-2.0

/// The columns that texts take on a terminal. wcwidth(3) knows only the characters of the locale, and the program sets
/// none.
package enum TextWidth {
    /// The columns of a text without control characters.
    package static func of(_ text: some StringProtocol) -> Int {
        text.reduce(0) { $0 + of($1) }
    }

    /// The text in at most so many columns; the ellipsis marks a cut.
    package static func cut(_ text: String, to columns: Int, ellipsis: String) -> String {
        if of(text) <= columns { return text }
        let room = columns - of(ellipsis)
        var kept = ""
        var width = 0
        for character in text {
            width += of(character)
            if width > room { break }
            kept.append(character)
        }
        return room < 0 ? "" : kept + ellipsis
    }

    /// The text with blanks behind it, so that it takes so many columns.
    package static func padded(_ text: String, to columns: Int) -> String {
        text + String(repeating: " ", count: max(0, columns - of(text)))
    }

    /// The text cleaned, and with each tab as `\x09`: how wide a tab is depends on where it stands.
    package static func cleaned(_ text: String) -> String {
        let text = SafeText.clean(text)
        guard text.contains("\t") else { return text }
        return text.split(separator: "\t", omittingEmptySubsequences: false).joined(separator: "\\x09")
    }

    // Terminals differ where scalars join to one sign. The larger width counts: a line that is too short does no harm.
    private static func of(_ character: Character) -> Int {
        let scalars = character.unicodeScalars
        // An emoji variation selector makes a narrow sign a wide one.
        let minimum = scalars.contains { $0.value == 0xfe0f } ? 2 : 0
        return max(minimum, scalars.reduce(0) { $0 + of($1) })
    }

    private static func of(_ scalar: Unicode.Scalar) -> Int {
        let value = scalar.value
        if (0x20..<0x7f).contains(value) { return 1 }
        // A soft hyphen is shown; vowels and finals of Hangul join the consonant before them.
        if value == 0xad { return 1 }
        if (0x1160...0x11ff).contains(value) { return 0 }
        switch scalar.properties.generalCategory {
        case .nonspacingMark, .enclosingMark, .format, .control: return 0
        default: break
        }
        if scalar.properties.isEmojiPresentation { return 2 }
        return wide.contains { $0.contains(value) } ? 2 : 1
    }

    // The blocks of EastAsianWidth.txt whose signs are wide or full-width (UAX #11).
    private static let wide: [ClosedRange<UInt32>] = [
        0x1100...0x115f, 0x2e80...0x303e, 0x3041...0x33ff, 0x3400...0x4dbf, 0x4e00...0xa4cf, 0xa960...0xa97f,
        0xac00...0xd7a3, 0xf900...0xfaff, 0xfe10...0xfe19, 0xfe30...0xfe6f, 0xff01...0xff60, 0xffe0...0xffe6,
        0x16fe0...0x16fff, 0x17000...0x18dff, 0x1aff0...0x1b2ff, 0x1f200...0x1f2ff, 0x1f300...0x1f64f,
        0x1f900...0x1f9ff, 0x20000...0x3fffd,
    ]
}
