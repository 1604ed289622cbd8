// SPDX-License-Identifier: Apache-2.0

import FreezeHook
import FreezeHookBase

/// The picture in a timeline: rows of bars below a scale of seconds.
struct TimelineChart {
    /// The kind of a bar.
    enum Kind: CaseIterable {
        case prepare, freeze, hold, thaw, failed

        fileprivate func mark(_ terminal: Terminal) -> Character {
            switch self {
            case .prepare: terminal.usesUnicode ? "░" : ":"
            case .freeze: terminal.usesUnicode ? "█" : "#"
            case .hold: terminal.usesUnicode ? "─" : "-"
            case .thaw: terminal.usesUnicode ? "▓" : "="
            case .failed: "x"
            }
        }

        fileprivate var style: TextStyle {
            switch self {
            case .prepare: .cyan
            case .freeze: .blue
            case .hold: .yellow
            case .thaw: .green
            case .failed: .red
            }
        }
    }

    /// A bar from one moment to another, in seconds from the cycle's start.
    struct Bar {
        var kind: Kind
        var start: Double
        var end: Double
    }

    /// A hook, or the window as a whole.
    struct Row {
        /// The sign before the name: `!` for a failure, `-` for nothing to do.
        var mark: String
        var name: String
        /// The time of the row's calls by action, in seconds.
        var seconds: [HookAction: Double] = [:]
        var bars: [Bar] = []
        /// Words in place of bars.
        var note: String?
    }

    private let rows: [Row]
    /// The length of the scale in seconds.
    private let total: Double

    init(_ cycle: CycleSummary) {
        let parts: [(kind: Kind, seconds: Double?)] = [
            (.prepare, cycle.prepareTime?.inSeconds), (.freeze, cycle.freezeTime?.inSeconds),
            (.hold, cycle.holdTime?.inSeconds), (.thaw, cycle.thawTime?.inSeconds),
        ]
        var window = Row(mark: " ", name: "window")
        var end = 0.0
        for part in parts {
            guard let seconds = part.seconds else { continue }
            window.bars.append(Bar(kind: part.kind, start: end, end: end + seconds))
            end += seconds
        }
        let hasPrepare = cycle.hooks.contains { $0.action == .prepare }
        // Without a prepare hook this is only the guard's start.
        if !hasPrepare { window.bars.removeAll { $0.kind == .prepare } }
        window.seconds[.freeze] = cycle.freezeTime?.inSeconds
        window.seconds[.thaw] = cycle.thawTime?.inSeconds
        if hasPrepare { window.seconds[.prepare] = cycle.prepareTime?.inSeconds }
        let hooks = Self.rows(of: cycle, until: end)
        rows = [window] + hooks
        total = hooks.flatMap(\.bars).reduce(end) { max($0, $1.end) }
    }

    // MARK: - Rows

    private static func rows(of cycle: CycleSummary, until end: Double) -> [Row] {
        // The rows follow the order of the freeze, and not that of the first calls: prepare calls come before all
        // others.
        let paths = Set(cycle.hooks.map(\.path) + cycle.refusals.map(\.path)).sorted {
            $0.utf8.lexicographicallyPrecedes($1.utf8)
        }
        return paths.map { path in
            let runs = cycle.hooks.filter { $0.path == path }
            let refusals = cycle.refusals.filter { $0.path == path }
            return row(runs, refusals, start: cycle.started, until: end)
        }
    }

    private static func row(
        _ runs: [CycleSummary.Run], _ refusals: [CycleSummary.Refusal], start: KeptTime, until end: Double
    ) -> Row {
        let name = TextWidth.cleaned(runs.first?.name ?? refusals.first?.name ?? "")
        var row = Row(mark: " ", name: name)
        for run in runs {
            let begin = offset(of: run, from: start)
            let seconds = run.duration?.inSeconds ?? max(0, end - begin)
            guard let action = run.action.value else { continue }
            row.seconds[action, default: 0] += seconds
            if run.status == HookStatus.nothingToDo { continue }
            row.bars.append(Bar(kind: run.failed ? .failed : kind(of: action), start: begin, end: begin + seconds))
        }
        let isSkipped = !runs.isEmpty && runs.allSatisfy { $0.status == HookStatus.nothingToDo }
        if !refusals.isEmpty || runs.contains(where: \.failed) {
            row.mark = "!"
        } else if isSkipped {
            row.mark = "-"
        }
        if isSkipped { row.note = "nothing to do here" }
        if runs.isEmpty { row.note = "not called" }
        if let hold = hold(runs, start: start, until: end) { row.bars.append(hold) }
        return row
    }

    /// The bar from the end of a hook's freeze to the start of its thaw; nil when the hook has held nothing.
    private static func hold(_ runs: [CycleSummary.Run], start: KeptTime, until end: Double) -> Bar? {
        guard let index = runs.lastIndex(where: { $0.action == .freeze && $0.status == 0 }) else {
            return nil
        }
        let frozen = runs[index]
        let thaw = runs[(index + 1)...].first { $0.action == .thaw }
        let from = offset(of: frozen, from: start) + (frozen.duration?.inSeconds ?? 0)
        let to = thaw.map { offset(of: $0, from: start) } ?? end
        return to > from ? Bar(kind: .hold, start: from, end: to) : nil
    }

    private static func kind(of action: HookAction) -> Kind {
        switch action {
        case .prepare: .prepare
        case .freeze: .freeze
        case .thaw: .thaw
        }
    }

    private static func offset(of run: CycleSummary.Run, from start: KeptTime) -> Double {
        // The history of older versions has only times of the wall clock.
        run.offset?.inSeconds ?? run.started.offset(from: start)
    }

    // MARK: - Text

    // In columns. The numbers give way before a chart gets narrower.
    private static let minimumChart = 24
    private static let defaultChart = 48
    private static let numberWidth = 7

    /// The lines of the picture: the scale, the rows, and what the bars mean.
    func lines(for terminal: Terminal) -> [String] {
        let shown = [HookAction.prepare, .freeze, .thaw].filter { action in
            rows.contains { $0.seconds[action] != nil }
        }
        let longest = rows.map { TextWidth.of($0.name) }.max() ?? 0
        let nameWidth = terminal.columns.map { min(longest, max(6, $0 * 2 / 5 - 2)) } ?? longest
        let numbersWidth = shown.count * (Self.numberWidth + 1)
        let room = terminal.columns.map { $0 - nameWidth - 4 } ?? Self.defaultChart + numbersWidth
        let hasNumbers = room - numbersWidth >= Self.minimumChart
        let numbers = hasNumbers ? shown : []
        let width = max(1, room - (hasNumbers ? numbersWidth : 0))
        let head =
            "  " + TextWidth.padded("", to: nameWidth) + numbers.map { Self.right($0.rawValue) }.joined() + "  "
        var lines = [trimmedAtEnd(head + axis(width))]
        for row in rows {
            let name = TextWidth.cut(row.name, to: nameWidth, ellipsis: terminal.ellipsis)
            let marked = terminal.styled(row.mark + " " + name, row.mark == "!" ? .red : row.mark == "-" ? .dim : nil)
            let blanks = String(repeating: " ", count: nameWidth - TextWidth.of(name))
            let values = numbers.map { Self.right(row.seconds[$0].map(DurationText.brief) ?? "") }.joined()
            let picture =
                row.note.map { TextWidth.cut($0, to: width, ellipsis: terminal.ellipsis) }
                ?? bars(row.bars, width, terminal)
            lines.append(trimmedAtEnd("\(marked)\(blanks)\(values)  \(picture)"))
        }
        return lines + legend(terminal)
    }

    private static func right(_ text: String) -> String {
        String(repeating: " ", count: max(0, numberWidth + 1 - text.count)) + text
    }

    private func legend(_ terminal: Terminal) -> [String] {
        let kinds = Set(rows.flatMap { $0.bars.map(\.kind) })
        let words = Kind.allCases.filter(kinds.contains).map { "\($0.mark(terminal))=\($0)" }
        guard !words.isEmpty else { return [] }
        return TextWrap.lines(of: "  " + words.joined(separator: " "), columns: terminal.columns, indent: 2).map {
            terminal.styled($0, .dim)
        }
    }

    private func bars(_ bars: [Bar], _ width: Int, _ terminal: Terminal) -> String {
        var cells = [Kind?](repeating: nil, count: width)
        // Draw actions over holds.
        for bar in bars.filter({ $0.kind == .hold }) + bars.filter({ $0.kind != .hold }) {
            var (first, last) = (column(bar.start, width), max(0, column(bar.end, width, isEnd: true)))
            // A bar has at least one column; a thaw right behind its freeze takes the next one.
            if bar.kind == .thaw, first + 1 < width, let there = cells[first], there != .hold { first += 1 }
            last = max(first, last)
            for index in first...last { cells[index] = bar.kind }
        }
        var text = ""
        var index = 0
        while index < width {
            let kind = cells[index]
            let end = cells[index...].firstIndex { $0 != kind } ?? width
            let part = String(repeating: kind?.mark(terminal) ?? " ", count: end - index)
            text += kind.map { terminal.styled(part, $0.style) } ?? part
            index = end
        }
        return text
    }

    private func column(_ seconds: Double, _ width: Int, isEnd: Bool = false) -> Int {
        guard total > 0 else { return 0 }
        let position = seconds / total * Double(width)
        let column = isEnd ? position.rounded(.up) - 1 : position.rounded(.down)
        return Int(min(max(column, 0), Double(width - 1)))
    }

    /// Labels at round seconds, each beginning where its moment is.
    private func axis(_ width: Int) -> String {
        guard total > 0 else { return "" }
        // A label takes up to six columns, and needs a blank or two.
        let step = Self.step(atLeast: total * 8 / Double(width))
        var line = ""
        var number = 0
        while Double(number) * step <= total {
            let label = Self.label(Double(number) * step, step)
            let position = column(Double(number) * step, width)
            if position + label.count > width { break }
            line += String(repeating: " ", count: max(0, position - line.count)) + label
            number += 1
        }
        return line
    }

    /// The smallest of 1, 2, 5, 10, 20, … milliseconds that is not below a minimum; both in seconds.
    private static func step(atLeast minimum: Double) -> Double {
        var step = 0.001
        while true {
            for factor in [1.0, 2, 5] where step * factor >= minimum { return step * factor }
            step *= 10
        }
    }

    private static func label(_ seconds: Double, _ step: Double) -> String {
        let moment = DurationText.shown(seconds)
        if moment == .zero { return "0" }
        let places = step >= 1 ? 0 : step >= 0.1 ? 1 : step >= 0.01 ? 2 : 3
        let text = DurationText.seconds(moment)
        return text.dropLast(places == 0 ? 4 : 3 - places) + "s"
    }
}
