// SPDX-License-Identifier: Apache-2.0

import FreezeHook
import FreezeHookBase

/// One cycle: as JSON its summary, as text a picture with a row for each hook and bars on a common scale.
package struct Timeline: Shown {
    private let cycle: CycleSummary
    private let chart: TimelineChart

    /// The picture of a cycle.
    package init(_ cycle: CycleSummary) {
        self.cycle = cycle
        chart = TimelineChart(cycle)
    }

    package func encode(to encoder: any Encoder) throws { try cycle.encode(to: encoder) }

    /// The title, the picture, the window's length, the verdict and its reasons.
    package func lines(for terminal: Terminal) -> [String] {
        let columns = terminal.columns
        let verdict = SafeText.clean(cycle.verdict.text)
        var lines = TextWrap.lines(of: title, columns: columns, indent: 4).map { terminal.styled($0, .bold) }
        lines += [""] + chart.lines(for: terminal) + [""]
        lines += TextWrap.lines(of: "window   \(cycle.durations)", columns: columns, indent: Self.indent)
        let whole = TextWrap.lines(of: "verdict  \(verdict)", columns: columns, indent: Self.indent)
        lines += whole.count > 1 ? whole : ["verdict  \(terminal.styled(verdict, cycle.verdict.value?.style))"]
        if let doubt = cycle.doubt {
            lines += TextWrap.lines(of: "         \(doubt)", columns: columns, indent: Self.indent)
        }
        for reason in cycle.reasons.texts {
            lines += TextWrap.lines(of: "         - \(reason)", columns: columns, indent: Self.indent + 2)
        }
        return lines
    }

    // The words "window" and "verdict" stand before the texts.
    private static let indent = 9

    private var title: String {
        let kind = cycle.isRehearsal ? "rehearsal" : "cycle"
        let title = "\(kind) \(cycle.id.prefix(HistoryTable.idLength)), \(cycle.started.dateAndTime)"
        switch cycle.reason.value {
        case .rollback: return "\(title), rolled back"
        case .recover: return "\(title), recovered"
        case .expired: return "\(title), ended by the guard"
        default: return title
        }
    }
}
