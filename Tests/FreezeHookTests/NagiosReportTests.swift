// SPDX-License-Identifier: Apache-2.0

import TestSupport
import Testing

@testable import FreezeHook
@testable import FreezeHookAdmin
@testable import FreezeHookBase
@testable import FreezeHookRecipes

/// One line for Nagios and Icinga.
@Suite struct NagiosReportTests {
    private func report(_ last: CycleSummary?, _ good: CycleSummary?, at seconds: Double) -> NagiosReport {
        NagiosReport(last: last, lastGood: good, maxAge: .seconds(26 * 3600), now: Timestamp.at(seconds).wall)
    }

    @Test func `A good cycle that is young enough`() throws {
        let cycle = try Cycles.cycle("a")
        let report = report(cycle, cycle, at: 26 * 3600)
        #expect(report.state == .ok)
        #expect(
            report.line == "FSFREEZE OK - last cycle 26 h ago: application-consistent | age=93600s;;93600;0 "
                + "freeze=0.500s;;;0 hold=2.000s;;;0 thaw=0.500s;;;0 window=3.000s;;;0")
    }

    @Test func `Too old, none good, none at all`() throws {
        let cycle = try Cycles.cycle("a")
        let old = report(cycle, cycle, at: 26 * 3600 + 1)
        #expect(old.state == .critical)
        #expect(
            old.line.hasPrefix("FSFREEZE CRITICAL - last good cycle 26 h ago, allowed are 26h; last cycle 26 h ago"))
        let bad = report(try Cycles.cycle("b", .crashConsistent), nil, at: 60)
        #expect(
            bad.state == .critical && bad.line.contains("no good cycle")
                && bad.line.contains("a finished with status=3"))
        let none = report(nil, nil, at: 0)
        #expect(
            none.state == .critical && none.line.hasPrefix("FSFREEZE CRITICAL - no cycle yet")
                && !none.line.contains("|"))
    }

    @Test func `The last one bad, a good one young enough`() throws {
        let report = report(try Cycles.cycle("b", .crashConsistent, at: 3600), try Cycles.cycle("a"), at: 3660)
        #expect(report.state == .warning)
        #expect(
            report.line.hasPrefix("FSFREEZE WARNING - last cycle 60 s ago: crash-consistent (a finished with status=3)")
        )
        #expect(report.line.contains("last good one 61 min ago | age=3660s;"))
    }

    @Test func `No text begins the performance data early, and odd times end nothing`() throws {
        let bad = try Cycles.cycle("b", .crashConsistent) { $0.reasons = [Reason(.fault, "a | b | rm |\u{301}x")] }
        #expect(report(bad, bad, at: 0).line.unicodeScalars.split(separator: "|").count == 2)
        let odd = try Cycles.cycle("b") { $0.started = KeptTime(text: "?") }
        #expect(report(odd, odd, at: 0).state == .critical)
        #expect(report(odd, odd, at: 0).line.contains("at an unknown time"))
        let ahead = try Cycles.cycle("b", at: 100)
        #expect(report(ahead, ahead, at: 0).line.contains("last cycle 0 s ago"))
    }
}
