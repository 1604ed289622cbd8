// SPDX-License-Identifier: Apache-2.0

import FreezeHook
import FreezeHookBase

/// A table of past cycles, a line each.
package struct HistoryTable {
    private let cycles: [CycleSummary]

    /// A table with a row for each of these cycles, in this order.
    package init(_ cycles: [CycleSummary]) {
        self.cycles = cycles
    }

    /// The digits of an id that distinguish the cycles of one machine.
    package static let idLength = 8

    /// The lines of the table, the titles first.
    package func lines(for terminal: Terminal) -> [String] {
        let columns: [TextTable.Column] = [
            .init("id"), .init("time"), .init("reason"), .init("verdict"), .init("freeze", .right),
            .init("hold", .right),
            .init("thaw", .right), .init("window", .right), .init("failed", minimumWidth: 6),
        ]
        let table = TextTable(
            columns: columns, rows: cycles.map(Self.row),
            reductions: [
                .drop(4), .drop(6), .drop(5), .shorten(1), .shorten(3), .drop(2), .drop(7), .drop(0),
            ])
        return table.lines(for: terminal)
    }

    private static func row(_ cycle: CycleSummary) -> [TextTable.Cell] {
        let time = cycle.started.dateAndTime
        let verdict = cycle.verdict.value
        return [
            .init(String(cycle.id.prefix(idLength)), .dim), .init(time, short: String(time.dropLast(3))),
            .init(cycle.reason.text), .init(cycle.verdict.text, short: verdict?.short, verdict?.style),
            .init(seconds(cycle.freezeTime)), .init(seconds(cycle.holdTime)), .init(seconds(cycle.thawTime)),
            .init(seconds(cycle.windowTime)), .init(cycle.failedHooks.joined(separator: ", "), .red),
        ]
    }

    private static func seconds(_ time: Duration?) -> String {
        time.map { DurationText.brief($0.inSeconds) } ?? "-"
    }
}
