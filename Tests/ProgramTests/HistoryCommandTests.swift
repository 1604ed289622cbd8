// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestSupport
import Testing

/// `history`, `status --last` and `status --nagios`.
@Suite struct HistoryCommandTests {
    /// A sandbox with three cycles: a good one, a bad one, a rehearsal.
    private func sandbox() throws -> Sandbox {
        let sandbox = try Sandbox()
        try sandbox.addHook("10-a", "exit 0")
        try sandbox.expectFreeze()
        try sandbox.expectThaw()
        try sandbox.addHook("10-a", "exit 3")
        try sandbox.expectFreeze()
        try sandbox.expectThaw()
        #expect(try sandbox.run(["rehearse", "--hold", "10ms"]).status == 2)
        return sandbox
    }

    private func cycles(_ sandbox: Sandbox, _ options: [String]) throws -> [[String: Any]] {
        let result = try sandbox.run(options + ["--json"])
        let object = try JSONSerialization.jsonObject(with: Data(result.stdout.utf8)) as? [String: Any]
        return try #require(object?["cycles"] as? [[String: Any]], "\(result)")
    }

    @Test func `The table, its parts, and one cycle`() throws {
        let sandbox = try sandbox()
        let table = try sandbox.run(["history"])
        #expect(table.status == 0 && table.stderr == "")
        let lines = table.stdout.split(separator: "\n")
        #expect(lines.count == 4)
        #expect(
            lines[1].contains("application-consistent") && lines[2].hasSuffix("10-a") && lines[3].contains("rehearsal"))
        #expect(try cycles(sandbox, ["history"]).count == 3)
        #expect(try cycles(sandbox, ["history", "--last", "1"]).map { $0["reason"] as? String } == ["rehearsal"])
        #expect(try cycles(sandbox, ["history", "--since", "7d"]).count == 3)
        #expect(try cycles(sandbox, ["history", "--since", "2199-01-01"]).isEmpty)
        #expect(try cycles(sandbox, ["history", "--since", "2026-01-01 00:00"]).count == 3)
        #expect(try sandbox.run(["history", "--since", "soon"]).status == 64)
        #expect(try sandbox.run(["history", "--last", "0"]).status == 64)
        let id = try #require(try cycles(sandbox, ["history"])[1]["id"] as? String)
        let shown = try sandbox.run(["history", "show", String(id.prefix(8))])
        #expect(shown.status == 0 && shown.stdout.hasPrefix("cycle \(id.prefix(8)), "))
        #expect(shown.stdout.contains("\n! 10-a") && shown.stdout.contains("verdict  crash-consistent\n"))
        #expect(try sandbox.run(["history", "show"]).stdout.hasPrefix("rehearsal "))
        let missing = try sandbox.run(["history", "show", "zzz"])
        #expect(missing.status == 1 && missing.stdout == "" && missing.stderr.contains("'zzz'"))
    }

    @Test(arguments: [40, 60, 80, 120, 200])
    func `On a terminal nothing is wider than it`(columns: Int) throws {
        let sandbox = try sandbox()
        for arguments in [["history"], ["history", "show"], ["status", "--last", "5"]] {
            let terminal = try Pseudoterminal(columns: columns)
            let shown = try sandbox.run(arguments, on: terminal, environment: ["TERM": "xterm", "LANG": "C.UTF-8"])
            #expect(shown.text.contains("\u{1b}[31m") && shown.text.contains("crash"))
            for line in Screen.lines(shown.text) { #expect(Screen.width(line) <= columns, "\(line)") }
            let plain = try sandbox.run(
                arguments, on: try Pseudoterminal(columns: columns), environment: ["TERM": "xterm", "NO_COLOR": "1"])
            #expect(!plain.text.contains("\u{1b}"))
        }
    }

    @Test func `Without a cycle it says so, and a damaged file is read as far as it goes`() throws {
        let empty = try Sandbox()
        #expect(try empty.run(["history"]).stdout == "no cycles\n")
        let none = try empty.run(["history", "show"])
        #expect(none.status == 1 && none.stderr == "fsfreeze-hook: no cycle yet\n")
        let sandbox = try sandbox()
        let path = "\(sandbox.stateDirectory)/history.jsonl"
        let text = Files.text(of: path)
        try Files.write("{\"id\":\n" + text.dropLast(40), to: path)
        #expect(try cycles(sandbox, ["history"]).count == 2)
        unlink(path)
        try Files.makeDirectory(path, mode: 0o700)
        let unreadable = try sandbox.run(["history"])
        #expect(unreadable.status == 1 && unreadable.stderr.contains(sandbox.stateDirectory))
        #expect(try sandbox.run(["status"]).status == 2)
        let nagios = try sandbox.run(["status", "--nagios"])
        #expect(nagios.status == 3 && nagios.stdout.hasPrefix("FSFREEZE UNKNOWN - the history in "))
    }

    @Test func `status --last has the cycles too`() throws {
        let sandbox = try sandbox()
        let result = try sandbox.run(["status", "--last", "2"])
        #expect(result.status == 2)
        #expect(
            result.stdout.contains("\nid  ") && result.stdout.split(separator: "\n").last?.contains("rehearsal") == true
        )
        #expect(
            try cycles(sandbox, ["status", "--last", "2"]).map { $0["reason"] as? String } == ["thaw", "rehearsal"])
    }

    @Test func `Nagios gets one line and its exit status`() throws {
        let sandbox = try Sandbox()
        try sandbox.addHook("10-a", "exit 0")
        let none = try sandbox.run(["status", "--nagios"])
        #expect(none.status == 2 && none.stdout.hasPrefix("FSFREEZE CRITICAL - no cycle yet"))
        try sandbox.expectFreeze()
        try sandbox.expectThaw()
        let good = try sandbox.run(["status", "--nagios", "--max-age", "26h"])
        #expect(good.status == 0 && good.stdout.hasPrefix("FSFREEZE OK - last cycle "))
        #expect(good.stdout.contains(" | age=") && good.stdout.split(separator: "\n").count == 1)
        #expect(eventually(within: 20) { (try? sandbox.run(["status", "--nagios", "--max-age", "1s"]).status) == 2 })
        try sandbox.addHook("10-a", "exit 3")
        try sandbox.expectFreeze()
        try sandbox.expectThaw()
        #expect(try sandbox.run(["status", "--nagios"]).status == 1)
        #expect(try sandbox.run(["status", "--nagios", "--accept", "crash-consistent"]).status == 0)
        #expect(try sandbox.run(["status", "--nagios", "--json"]).status == 64)
        try sandbox.configure("colour = red")
        let broken = try sandbox.run(["status", "--nagios"])
        #expect(broken.status == 3 && broken.stdout.contains("unknown setting 'colour'") && broken.stderr == "")
    }
}
