// SPDX-License-Identifier: Apache-2.0

/// Text broken into lines between its words.
package enum TextWrap {
    /// The lines of a text, none wider than `columns` (nil: one line). The first keeps its leading blanks, the others
    /// begin with `indent` blanks. The text is cleaned, a tab becomes a blank, no line ends in blanks, and a too wide
    /// word is broken.
    package static func lines(of text: String, columns: Int?, indent: Int = 0) -> [String] {
        let text = SafeText.clean(text)
        guard let columns else { return [text] }
        let margin = String(repeating: " ", count: max(0, min(indent, columns / 2, columns - 2)))
        var lines: [String] = []
        let leading = text.prefix { $0 == " " }
        var line = String(leading.prefix(max(0, columns - 2)))
        // Whether the line holds blanks alone.
        var isFresh = true
        for part in text.dropFirst(leading.count).split(
            omittingEmptySubsequences: false, whereSeparator: { " \t".contains($0) })
        {
            var word = part
            if !isFresh && TextWidth.of(line) + 1 + TextWidth.of(word) > columns {
                lines.append(line)
                line = margin
                isFresh = true
            }
            while isFresh && TextWidth.of(line) + TextWidth.of(word) > columns {
                let head = TextWidth.cut(String(word), to: columns - TextWidth.of(line), ellipsis: "")
                // A sign wider than a line is taken alone: each round must take one.
                let taken = max(1, head.count)
                lines.append(line + word.prefix(taken))
                word = word.dropFirst(taken)
                line = margin
            }
            line += isFresh ? String(word) : " \(word)"
            isFresh = isFresh && word.isEmpty
        }
        if !isFresh || lines.isEmpty { lines.append(line) }
        return lines.map { line in
            var line = line[...]
            while line.last == " " { line.removeLast() }
            return String(line)
        }
    }
}
