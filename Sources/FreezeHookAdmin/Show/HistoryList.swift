// SPDX-License-Identifier: Apache-2.0

import FreezeHook
import FreezeHookBase
import SystemPackage

/// The history has no answer.
package enum HistoryError: Error, Equatable, CustomStringConvertible {
    case unreadable(place: String, reason: Errno)
    case none(id: String)
    case several(id: String, [String])
    case empty

    package var description: String {
        switch self {
        case .unreadable(let place, let reason): "the history in \(place) cannot be read: \(reason)"
        case .none(let id): "no cycle in the history has an id that begins with '\(id)'; see 'fsfreeze-hook history'"
        case .several(let id, let found):
            "'\(id)' is the beginning of several ids: \(SafeText.clean(found.joined(separator: ", ")))"
        case .empty: "no cycle yet"
        }
    }
}

/// The part of the past cycles that `history` shows.
package struct HistoryList: Shown {
    /// The cycles, the oldest first.
    package var cycles: [CycleSummary]

    /// The number of older cycles that `last` has left out.
    private var olderCount = 0

    private enum CodingKeys: CodingKey {
        case cycles
    }

    /// The cycles of a history: with `since` those that began at that time or later, with `last` at most that many of
    /// the newest. Errors name `place`.
    package init(
        _ source: (history: History, place: String), since: WallTime? = nil, last: Int? = nil
    ) throws(HistoryError) {
        do {
            cycles = try source.history.cycles()
        } catch {
            throw .unreadable(place: source.place, reason: error)
        }
        if let since {
            cycles = cycles.filter { !$0.started.isBefore(since) }
        }
        if let last {
            olderCount = max(0, cycles.count - last)
            cycles = cycles.suffix(last)
        }
    }

    /// The cycle whose id begins with a text; the last cycle for an empty text.
    package func cycle(_ id: String) throws(HistoryError) -> CycleSummary {
        guard let last = cycles.last else { throw .empty }
        if id.isEmpty { return last }
        let found = cycles.filter { $0.id.hasPrefix(id.lowercased()) }
        if let exact = found.first(where: { $0.id == id }) { return exact }
        guard let first = found.first else { throw .none(id: SafeText.clean(id.utf8)) }
        guard found.count == 1 else { throw .several(id: SafeText.clean(id.utf8), found.map(\.id)) }
        return first
    }

    /// The cycles as a table.
    package func lines(for terminal: Terminal) -> [String] {
        if cycles.isEmpty { return ["no cycles"] }
        let lines = HistoryTable(cycles).lines(for: terminal)
        if olderCount == 0 { return lines }
        return lines + [
            TextWidth.cut(
                "(\(olderCount) older: --last N, --since)", to: terminal.columns ?? .max, ellipsis: terminal.ellipsis)
        ]
    }
}
