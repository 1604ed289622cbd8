// SPDX-License-Identifier: Apache-2.0

import Glibc

/// The place where text is shown: its width, and its means beside plain ASCII.
package struct Terminal: Equatable, Sendable {
    /// Whether the place is a terminal; otherwise it is a pipe or a file.
    package var isTerminal: Bool
    /// The columns that no line may exceed; nil for a pipe or a file, where nothing is cut.
    package var columns: Int?
    package var usesColour: Bool
    /// Whether a line can be written over.
    package var canRedraw: Bool
    /// Whether line drawing and the like can be used; only ASCII otherwise.
    package var usesUnicode: Bool

    /// The columns of a terminal whose width is unknown.
    package static let defaultColumns = 80
    // Narrower text is unreadable: on a narrower terminal lines wrap.
    private static let minimumColumns = 20

    /// A plain place of this width; for tests and for text that is kept.
    package init(columns: Int?, usesColour: Bool = false, usesUnicode: Bool = false) {
        isTerminal = columns != nil
        canRedraw = false
        self.columns = columns
        self.usesColour = usesColour
        self.usesUnicode = usesUnicode
    }

    /// The place behind a descriptor. `variable` reads the environment.
    package init(
        descriptor: Int32, variable: (String) -> String? = { name in getenv(name).map { String(cString: $0) } }
    ) {
        func isSet(_ name: String) -> Bool { variable(name).map { !$0.isEmpty } ?? false }
        isTerminal = isatty(descriptor) == 1
        if isTerminal {
            var size = winsize()
            let width = ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0 ? Int(size.ws_col) : 0
            // For a serial line the kernel reports 0 columns.
            let known = width > 0 ? width : variable("COLUMNS").flatMap { Int($0) }.flatMap { $0 > 0 ? $0 : nil }
            columns = max(Self.minimumColumns, known ?? Self.defaultColumns)
        }
        canRedraw = isTerminal && isSet("TERM") && variable("TERM") != "dumb"
        // https://no-color.org: set and not empty.
        usesColour = canRedraw && !isSet("NO_COLOR")
        // The order of setlocale(3).
        let locale = ["LC_ALL", "LC_CTYPE", "LANG"].first(where: isSet).flatMap(variable) ?? ""
        let charset = locale.lowercased()
        usesUnicode = charset.hasSuffix("utf-8") || charset.hasSuffix("utf8")
    }

    /// The mark at the end of a cut text; one column.
    package var ellipsis: String { usesUnicode ? "…" : "~" }

    /// The text in a style where there are colours. Its width stays the same.
    package func styled(_ text: String, _ style: TextStyle?) -> String {
        guard usesColour, let style, !text.isEmpty else { return text }
        return "\u{1b}[\(style.rawValue)m\(text)\u{1b}[0m"
    }
}
