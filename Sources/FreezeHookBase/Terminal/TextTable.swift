// SPDX-License-Identifier: Apache-2.0

/// A table of text within the terminal's width: the reductions are made in their order, then cells are cut.
package struct TextTable {
    /// The side on which the cells of a column are aligned.
    package enum Alignment: Sendable {
        case left, right
    }

    /// A column.
    package struct Column {
        /// The title above its cells.
        package var title: String
        /// The alignment of the cells and the title.
        package var alignment: Alignment
        /// The width down to which a cell may be cut; nil when it is never cut.
        package var minimumWidth: Int?

        /// A column; `minimumWidth` says that its cells may be cut.
        package init(_ title: String, _ alignment: Alignment = .left, minimumWidth: Int? = nil) {
            self.title = title
            self.alignment = alignment
            self.minimumWidth = minimumWidth
        }
    }

    /// One cell's text.
    package struct Cell {
        /// The text, cleaned, with a tab as `\x09`.
        package var text: String
        /// The text for a shortened column; nil when it is the same.
        package var short: String?
        /// The style on a terminal with colours.
        package var style: TextStyle?

        /// A cell of any text, which is cleaned.
        package init(_ text: String, short: String? = nil, _ style: TextStyle? = nil) {
            self.text = TextWidth.cleaned(text)
            self.short = short.map(TextWidth.cleaned)
            self.style = style
        }
    }

    /// A way to save room, with the index of the column.
    package enum Reduction {
        case shorten(Int)
        case drop(Int)
    }

    private let columns: [Column]
    private let rows: [[Cell]]
    private let reductions: [Reduction]

    /// A table; every row has a cell for each column.
    package init(columns: [Column], rows: [[Cell]], reductions: [Reduction] = []) {
        self.columns = columns
        self.rows = rows
        self.reductions = reductions
    }

    private static let gap = 2

    /// The lines of the table, the titles first.
    package func lines(for terminal: Terminal) -> [String] {
        let (shown, shortened, widths) = layout(in: terminal.columns)
        let titles = columns.map { Cell($0.title, .bold) }
        return ([titles] + rows).map { row in
            line(row, shown, shortened, widths, terminal)
        }
    }

    private func layout(in room: Int?) -> (shown: [Int], shortened: Set<Int>, widths: [Int]) {
        var shown = Array(columns.indices)
        var shortened: Set<Int> = []
        var remaining = reductions[...]
        while true {
            var widths = columns.indices.map { width(of: $0, isShort: shortened.contains($0)) }
            guard let room else { return (shown, shortened, widths) }
            var excess = shown.reduce(Self.gap * (shown.count - 1)) { $0 + widths[$1] } - room
            let spare = shown.reduce(0) { $0 + slack(of: $1, widths[$1]) }
            if excess <= spare || remaining.isEmpty {
                // The widest column gives way first.
                while excess > 0,
                    let index = shown.filter({ slack(of: $0, widths[$0]) > 0 }).max(by: { widths[$0] < widths[$1] })
                {
                    widths[index] -= 1
                    excess -= 1
                }
                return (shown, shortened, widths)
            }
            switch remaining.popFirst() {
            case .shorten(let index): shortened.insert(index)
            case .drop(let index): shown.removeAll { $0 == index }
            case nil: break
            }
        }
    }

    private func width(of column: Int, isShort: Bool) -> Int {
        let texts = rows.map { isShort ? $0[column].short ?? $0[column].text : $0[column].text }
        return ([columns[column].title] + texts).map { TextWidth.of($0) }.max() ?? 0
    }

    private func slack(of column: Int, _ width: Int) -> Int {
        columns[column].minimumWidth.map { max(0, width - $0) } ?? 0
    }

    private func line(_ row: [Cell], _ shown: [Int], _ shortened: Set<Int>, _ widths: [Int], _ terminal: Terminal)
        -> String
    {
        var line = ""
        var pending = 0
        var room = terminal.columns ?? .max
        for index in shown {
            let cell = row[index]
            let whole = shortened.contains(index) ? cell.short ?? cell.text : cell.text
            let text = TextWidth.cut(whole, to: min(widths[index], max(0, room - pending)), ellipsis: terminal.ellipsis)
            let blanks = widths[index] - TextWidth.of(text)
            if columns[index].alignment == .right { pending += blanks }
            // Blanks are written only when something follows: no line ends in them.
            if !text.isEmpty {
                line += String(repeating: " ", count: pending) + terminal.styled(text, cell.style)
                room -= pending + TextWidth.of(text)
                pending = 0
            }
            if columns[index].alignment == .left { pending += blanks }
            pending += Self.gap
        }
        return line
    }
}
