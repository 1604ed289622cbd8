// SPDX-License-Identifier: Apache-2.0

import TestSupport
import Testing

@testable import FreezeHook
@testable import FreezeHookAdmin
@testable import FreezeHookBase
@testable import FreezeHookRecipes

/// The picture of a cycle.
@Suite struct TimelineTests {
    private func expectFits(_ lines: [String], _ columns: Int, sourceLocation: SourceLocation = #_sourceLocation) {
        for line in lines {
            #expect(TextWidth.of(line) <= columns, "\(columns) columns: \(line)", sourceLocation: sourceLocation)
            #expect(!line.unicodeScalars.contains { $0.value < 0x20 }, sourceLocation: sourceLocation)
            #expect(line.last != " ", sourceLocation: sourceLocation)
        }
    }

    @Test func `Bars stand on a common scale, a row a hook`() throws {
        let cycle = try Cycles.cycle("0f3c1d2e-1111") { cycle in
            cycle.prepareTime = .seconds(1)
            cycle.freezeTime = .seconds(2)
            cycle.holdTime = .seconds(4)
            cycle.thawTime = .seconds(1)
            cycle.windowTime = .seconds(7)
            cycle.hooks = [
                Cycles.run("20-b", .prepare, at: 0, 1), Cycles.run("10-a", .freeze, at: 1, 1),
                Cycles.run("20-b", .freeze, at: 2, 1), Cycles.run("30-c", .freeze, at: 3, 0.001, status: 77),
                Cycles.run("20-b", .thaw, at: 7, 0.5), Cycles.run("10-a", .thaw, at: 7.5, 0.5),
            ]
        }
        let lines = Timeline(cycle).lines(for: Terminal(columns: 42))
        #expect(
            Array(lines[2...7]) == [
                "          0       2s      4s      6s",
                "  window  ::::########----------------====",
                "  10-a        ####----------------------==",
                "  20-b    ::::    ####----------------==",
                "- 30-c    nothing to do here",
                "  :=prepare #=freeze -=hold ==thaw",
            ])
        #expect(lines.first?.hasPrefix("cycle 0f3c1d2e, 2026-11-23 ") == true)
        #expect(
            lines.contains("window   7.000s: freeze 2.000s, hold") && lines.last == "verdict  application-consistent")
    }

    @Test(arguments: [40, 41, 57, 64, 80, 100, 132, 200], [0, 1, 50])
    func `No line is wider than the terminal`(columns: Int, hooks: Int) throws {
        let cycle = try Cycles.cycle(hooks: hooks)
        for unicode in [false, true] {
            let lines = Timeline(cycle).lines(for: Terminal(columns: columns, usesUnicode: unicode))
            expectFits(lines, columns)
            #expect(lines.filter { $0.contains("-hook") }.count == hooks)
            #expect(lines.contains { $0.hasPrefix("  window ") } && lines.contains { $0.hasPrefix("window   3.") })
        }
        // The picture takes the whole width of a wide terminal.
        let picture = Timeline(cycle).lines(for: Terminal(columns: columns)).first { $0.hasPrefix("  window") } ?? ""
        #expect(TextWidth.of(picture) == columns, "\(picture)")
    }

    @Test(arguments: [40, 80, 200])
    func `Names of any kind neither widen nor break it`(columns: Int) throws {
        let names = Cycles.hostileNames
        let cycle = try Cycles.cycle(hooks: names.count) { names[$0] }
        let lines = Timeline(cycle).lines(for: Terminal(columns: columns, usesUnicode: true))
        expectFits(lines, columns)
        let plain = Timeline(cycle).lines(for: Terminal(columns: nil))
        #expect(plain.contains { $0.contains(names[0]) }, "in a pipe a name is whole")
        #expect(plain.contains { $0.contains("tab\\x09here") })
    }

    @Test func `What failed, was skipped, refused or cut off is told apart`() throws {
        let cycle = try Cycles.cycle("x", .crashConsistent) { cycle in
            cycle.hooks = [
                Cycles.run("10-bad", .freeze, at: 0.5, 0.1, status: 3),
                Cycles.run("20-cut", .freeze, at: 0.6, nil, status: nil),
            ]
            cycle.refusals = [
                .init(name: "30-open", path: "/d/30-open", action: Word(.freeze), why: "is writable by others")
            ]
            cycle.reasons = [
                Reason(.hookRefused, "30-open was not called with freeze: " + String(repeating: "long ", count: 40))
            ]
        }
        let lines = Timeline(cycle).lines(for: Terminal(columns: 60))
        expectFits(lines, 60)
        #expect(lines.contains { $0.hasPrefix("! 10-bad") && $0.hasSuffix("x") })
        #expect(lines.contains { $0.hasPrefix("! 20-cut") && $0.contains("x") })
        #expect(lines.contains { $0.hasPrefix("! 30-open") && $0.hasSuffix("not called") })
        #expect(lines.contains("verdict  crash-consistent"))
        #expect(lines.contains { $0.hasPrefix("         - 30-open was not called") })
        #expect(lines.contains { $0.hasPrefix("           long") })
        let coloured = Timeline(cycle).lines(for: Terminal(columns: 60, usesColour: true)).joined()
        #expect(coloured.contains("\u{1b}[31m! 10-bad\u{1b}[0m"))
    }

    @Test func `What an older version has kept is drawn by its wall clock times`() throws {
        let text = """
            {"guarantee":"application-consistent","hooks":[{"action":"freeze","name":"10-a","path":"/d/10-a","reason":"freeze",\
            "seconds":1,"started":"2026-11-23T02:00:02.000+01:00","status":0,"timed_out":false}],"id":"old","reason":"thaw",\
            "reasons":[],"started":"2026-11-23T02:00:00.000+01:00","verdict":"application-consistent",\
            "prepare_seconds":2,"freeze_seconds":1,"hold_seconds":1,"thaw_seconds":0}
            """
        let cycle = try #require(JSON(parsing: bytes(text)).flatMap(CycleSummary.init))
        let lines = Timeline(cycle).lines(for: Terminal(columns: 44))
        #expect(
            lines[4] == "  10-a    " + String(repeating: " ", count: 17) + "#########--------", "\(lines)")
    }

    @Test(arguments: [1e300, -1e300, 1e12, 1e-300])
    func `Numbers of a damaged file end nothing`(number: Double) throws {
        let cycle = try Cycles.cycle("x") { cycle in
            cycle.hooks = [Cycles.run("a", .freeze, at: 0, number), Cycles.run("a", .thaw, at: 1, number)]
            cycle.hooks[0].offset = Duration(seconds: number)
            cycle.holdTime = Duration(seconds: number)
            cycle.windowTime = Duration(seconds: number)
        }
        for columns in [40, 200] { expectFits(Timeline(cycle).lines(for: Terminal(columns: columns)), columns) }
        let report = NagiosReport(last: cycle, lastGood: cycle, maxAge: .seconds(1), now: .now())
        #expect(report.state == .critical)
        #expect(Metrics(counters: CycleCounters(), last: cycle).text.contains("phase=\"hold\""))
    }

    @Test func `A cycle of which nothing is known is still shown`() throws {
        var cycle = CycleSummary(of: try recorded())
        cycle.started = KeptTime(text: "?")
        for columns in [20, 40, 200] {
            let lines = Timeline(cycle).lines(for: Terminal(columns: columns))
            expectFits(lines, columns)
            #expect(lines.contains { $0.hasPrefix("window   none") })
        }
    }
}
