import FreezeHook
import FreezeHookBase
import FreezeHookRecipes

/// Past cycles, a line each.
package struct HistoryTable {
    private let cycles: [CycleSummary]

    /// A table with a row for each of these cycles, in this order.
    package init(_ cycles: [CycleSummary]) {
        self.cycles = cycles
    }

    /// How much of an id tells the cycles of one machine apart.
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
        let time = WallTime(rfc3339: cycle.started)?.dateAndTime ?? cycle.started
        let guarantee = Guarantee(rawValue: cycle.verdict)
        // "application-consistent" is half of a narrow terminal.
        let short = cycle.verdict.split(separator: "-").first.map(String.init)
        return [
            .init(String(cycle.id.prefix(idLength)), .dim), .init(time, short: String(time.dropLast(3))),
            .init(cycle.reason), .init(cycle.verdict, short: short, guarantee?.style),
            .init(seconds(cycle.freezeSeconds)), .init(seconds(cycle.holdSeconds)), .init(seconds(cycle.thawSeconds)),
            .init(seconds(cycle.windowSeconds)), .init(cycle.failedHooks.joined(separator: ", "), .red),
        ]
    }

    private static func seconds(_ seconds: Double?) -> String { seconds.map(DurationText.brief) ?? "-" }
}
