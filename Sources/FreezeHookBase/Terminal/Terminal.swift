// SPDX-License-Identifier: Apache-2.0

import Glibc

/// Where text is shown: how wide it is, and what can be shown there beside plain ASCII.
package struct Terminal: Equatable, Sendable {
    /// Whether somebody looks on; otherwise it is a pipe or a file.
    package var isTerminal: Bool
    /// The columns that no line may exceed; nil for a pipe or a file, where nothing is cut.
    package var columns: Int?
    package var usesColour: Bool
    /// Whether a line can be written over.
    package var canRedraw: Bool
    /// Whether line drawing and the like can be used; only ASCII otherwise.
    package var usesUnicode: Bool

    /// What terminals have when nobody says.
    package static let defaultColumns = 80
    // Below this nothing readable can be made: such a line may wrap.
    private static let minimumColumns = 20

    /// A plain place of this width; for tests and for text that is kept.
    package init(columns: Int?, usesColour: Bool = false, usesUnicode: Bool = false) {
        isTerminal = columns != nil
        canRedraw = false
        self.columns = columns
        self.usesColour = usesColour
        self.usesUnicode = usesUnicode
    }

    /// What the descriptor leads to. `variable` gives a variable of the environment.
    package init(
        descriptor: Int32, variable: (String) -> String? = { name in getenv(name).map { String(cString: $0) } }
    ) {
        func isSet(_ name: String) -> Bool { variable(name).map { !$0.isEmpty } ?? false }
        isTerminal = isatty(descriptor) == 1
        if isTerminal {
            var size = winsize()
            let width = ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0 ? Int(size.ws_col) : 0
            // A serial line does not know its width.
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

    /// What stands for the end of a text that was cut; one column.
    package var ellipsis: String { usesUnicode ? "…" : "~" }

    /// The text in a style where there are colours. Its width stays the same.
    package func styled(_ text: String, _ style: TextStyle?) -> String {
        guard usesColour, let style, !text.isEmpty else { return text }
        return "\u{1b}[\(style.rawValue)m\(text)\u{1b}[0m"
    }
}
