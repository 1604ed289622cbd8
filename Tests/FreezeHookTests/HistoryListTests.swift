// SPDX-License-Identifier: Apache-2.0

import SystemPackage
import TestSupport
import Testing

@testable import FreezeHook
@testable import FreezeHookAdmin
@testable import FreezeHookBase
@testable import FreezeHookRecipes

/// The past cycles that `history` shows.
@Suite struct HistoryListTests {
    private func history(_ directory: TemporaryDirectory, _ cycles: [CycleSummary]) throws -> (History, String) {
        let history = History(directory: StateDirectory(path: directory.file("state")), limit: 1000)
        for cycle in cycles { try history.add(cycle) }
        return (history, directory.path)
    }

    private func cycles() throws -> [CycleSummary] {
        [
            try Cycles.cycle("aaaa1111", at: 0), try Cycles.cycle("aaaa2222", .crashConsistent, at: 3600),
            try Cycles.cycle("bbbb3333", reason: .rehearsal, at: 7200),
        ]
    }

    @Test func `All, the last, or those since a time`() throws {
        let directory = try TemporaryDirectory()
        let source = try history(directory, try cycles())
        #expect(try HistoryList(source).cycles == cycles())
        #expect(try HistoryList(source, last: 2).cycles.map(\.id) == ["aaaa2222", "bbbb3333"])
        #expect(try HistoryList(source, since: Timestamp.at(3600).wall).cycles.map(\.id) == ["aaaa2222", "bbbb3333"])
        #expect(try HistoryList(source, since: Timestamp.at(3600.001).wall).cycles.map(\.id) == ["bbbb3333"])
        #expect(try HistoryList(source, since: Timestamp.at(0).wall, last: 1).cycles.map(\.id) == ["bbbb3333"])
        #expect(
            try HistoryList(source, since: Timestamp.at(9999).wall).lines(for: Terminal(columns: 80)) == ["no cycles"])
        let lines = try HistoryList(source, last: 1).lines(for: Terminal(columns: 80))
        #expect(lines.count == 3 && lines[2] == "(2 older: --last N, --since)")
        #expect(try JSONText.encode(HistoryList(source, last: 1)).hasPrefix("{\n  \"cycles\" : ["))
    }

    @Test func `A cycle is found by the beginning of its id`() throws {
        let directory = try TemporaryDirectory()
        let list = try HistoryList(history(directory, try cycles()))
        #expect(try list.cycle("").id == "bbbb3333")
        #expect(try list.cycle("b").id == "bbbb3333")
        #expect(try list.cycle("AAAA2").id == "aaaa2222")
        #expect(throws: HistoryError.several(id: "aaaa", ["aaaa1111", "aaaa2222"])) { try list.cycle("aaaa") }
        #expect(throws: HistoryError.none(id: "c\\x1b")) { try list.cycle("c\u{1b}") }
        let empty = try TemporaryDirectory()
        let nothing = try HistoryList(history(empty, []))
        #expect(throws: HistoryError.empty) { try nothing.cycle("") }
    }

    @Test func `A history that cannot be read is an error, none is not`() throws {
        let directory = try TemporaryDirectory()
        #expect(try HistoryList(history(directory, [])).cycles.isEmpty)
        try directory.makeFile("state", "x")
        let history = History(directory: StateDirectory(path: directory.file("state")), limit: 1)
        #expect(throws: HistoryError.unreadable(place: "p", reason: .notDirectory)) { try HistoryList((history, "p")) }
    }

    @Test func `Rehearsals are not the last backup`() throws {
        let directory = try TemporaryDirectory()
        let (history, _) = try history(directory, try cycles())
        #expect(history.lastBackup?.id == "aaaa2222")
        #expect(history.lastBackup(atLeast: .applicationConsistent)?.id == "aaaa1111")
        #expect(history.lastBackup(atLeast: .unsupported)?.id == "aaaa2222")
        let newest = try history.newest()
        #expect(newest.backup?.id == "aaaa2222" && newest.laterRehearsal?.id == "bbbb3333")
        try history.add(try Cycles.cycle("cccc", at: 9000))
        #expect(try history.newest().laterRehearsal == nil)
        #expect(history.cycle("aaaa1111") != nil && history.cycle("aaaa") == nil)
    }

    @Test func `The table has every column where there is room`() throws {
        let table = HistoryTable(try cycles())
        let lines = table.lines(for: Terminal(columns: 120))
        #expect(
            lines[0].split(separator: " ") == [
                "id", "time", "reason", "verdict", "freeze", "hold", "thaw", "window", "failed",
            ])
        #expect(
            lines[1].contains("aaaa1111") && lines[1].contains("application-consistent") && lines[1].contains("2.000s"))
        #expect(table.lines(for: Terminal(columns: nil)) == lines)
    }

    @Test(arguments: Array(40...200))
    func `No line is wider than the terminal, and the verdict always stays`(columns: Int) throws {
        var all = try cycles()
        all.append(
            try Cycles.cycle("dddd", .crashConsistent) { cycle in
                cycle.hooks = Cycles.hostileNames.map { Cycles.run($0, .freeze, at: 1, 1, status: 1) }
                cycle.windowTime = .seconds(86_400)
            })
        let lines = HistoryTable(all).lines(for: Terminal(columns: columns, usesUnicode: true))
        #expect(lines.count == 5 && lines.allSatisfy { TextWidth.of($0) <= columns }, "\(lines)")
        #expect(lines[1].contains("application") && lines[2].contains("crash") && lines[0].contains("failed"))
        #expect(lines[1].contains("2026-11-23") && lines[4].contains("very"))
    }
}
