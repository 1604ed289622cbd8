// SPDX-License-Identifier: Apache-2.0

import SystemPackage
import TestSupport
import Testing

@testable import FreezeHook
@testable import FreezeHookAdmin
@testable import FreezeHookBase

/// The kept JSON of cycles, byte for byte: scripts and other versions of the program read it.
@Suite struct KeptJSONTests {
    // Lines of a version without kinds of reasons.
    private static let failed = #"""
        {"expired":true,"freeze_seconds":2.5,"guarantee":"native-copy","hold_seconds":86400,\#
        "hooks":[{"action":"prepare","name":"prep","offset_seconds":1e-06,"path":"/d/prep",\#
        "reason":"freeze","seconds":0.001,"started":"2026-11-23T02:19:47.000+00:00","status":0,\#
        "timed_out":false},{"action":"freeze","name":"a\\x1b","offset_seconds":1,"path":"/d/a\\x1b",\#
        "reason":"freeze","seconds":0.001,"started":"2026-11-23T02:19:48.000+00:00","status":0,\#
        "timed_out":false},{"action":"freeze","name":"b","offset_seconds":2.123456789,"path":"/d/b",\#
        "reason":"freeze","seconds":0.502000001,"signal":15,"started":"2026-11-23T02:19:49.123+00:00",\#
        "status":124,"timed_out":true},{"action":"thaw","name":"b","offset_seconds":123456.789,\#
        "path":"/d/b","reason":"recover","started":"2026-11-24T12:37:23.789+00:00","timed_out":false}],\#
        "id":"cycle-1","prepare_seconds":0.5,"reason":"recover",\#
        "reasons":["q\" b\\ s/ t\t n\n c\u0001 e\u001b d\#u{7f} é 日 👩‍👩‍👧 ls\#u{2028} bs\b ff\f cr\r nul\u0000\#
         bom\#u{feff}",\#
        "b finished with status=124 (q\" b\\ s/ t\t n\n c\u0001 e\u001b d\#u{7f} é 日 👩‍👩‍👧 ls\#u{2028} bs\b ff\f\#
         cr\r nul\u0000 bom\#u{feff})",\#
        "b thaw was cut off: the program was killed",\#
        "e é was not called with freeze: is writable by others",\#
        "the guard ended the window at 2026-11-24T02:19:50.000+00:00: no thaw had come"],\#
        "refusals":[{"action":"freeze","name":"e é","path":"/d/e é","why":"is writable by others"}],\#
        "started":"2026-11-23T02:19:47.000+00:00","thaw_seconds":9.6e-05,"verdict":"crash-consistent",\#
        "window_seconds":86402.500096}
        """#
    private static let good = #"""
        {"freeze_seconds":0.5,"hold_seconds":2,"hooks":[{"action":"freeze","name":"10-a",\#
        "offset_seconds":0.5,"path":"/d/10-a","reason":"freeze","seconds":0.192,\#
        "started":"2026-11-23T02:19:47.500+00:00","status":0,"timed_out":false},{"action":"thaw",\#
        "name":"10-a","offset_seconds":3,"path":"/d/10-a","reason":"thaw","seconds":0.25,\#
        "started":"2026-11-23T02:19:50.000+00:00","status":0,"timed_out":false}],\#
        "id":"0f3c1d2e-1111-2222-3333-444455556666","prepare_seconds":0.5,"reason":"thaw","reasons":[],\#
        "started":"2026-11-23T02:19:47.000+00:00","thaw_seconds":0.5,"verdict":"application-consistent",\#
        "window_seconds":3}
        """#
    private static let numbers = #"""
        {"expired":true,"freeze_seconds":0.0001,"guarantee":"native-copy","hold_seconds":1e-06,"hooks":[],\#
        "id":"cycle-1","reason":"recover","reasons":[],"started":"2026-11-23T02:19:47.000+00:00",\#
        "thaw_seconds":1e-09,"verdict":"crash-consistent","window_seconds":2000000}
        """#
    private static let counters = #"""
        {"cycles":{"application-consistent":1,"crash-consistent":1},"expiries":1,\#
        "last_rehearsal":{"started":"2026-11-23T02:19:47.000+00:00","verdict":"native-copy"},\#
        "last_started":{"application-consistent":"2026-11-23T02:19:47.000+00:00",\#
        "crash-consistent":"2026-11-23T02:19:47.000+00:00"},"rehearsals":{"native-copy":1},"rollbacks":0}
        """#

    private func cycle(_ line: String) throws -> CycleSummary {
        try #require(JSON(parsing: bytes(line)).flatMap(CycleSummary.init))
    }

    @Test func `The hooks that declare nothing come back, and are missing in lines of older versions`() throws {
        #expect(try cycle(Self.good).undeclared == nil)
        var known = try cycle(Self.good)
        known.undeclared = ["10-a", "20-b\""]
        let line = known.json.text
        #expect(line.contains(#""undeclared":["10-a","20-b\""]"#))
        #expect(try cycle(line) == known)
    }

    /// The line with the key that a cycle without reasons gets.
    private func withKinds(_ line: String) -> String {
        line.replacing(#","reasons":[]"#, with: #","reason_kinds":[],"reasons":[]"#)
    }

    @Test func `A line of the history comes back as it was written`() throws {
        for line in [Self.failed, Self.good, Self.numbers] {
            let cycle = try cycle(line)
            #expect(cycle.json.text == withKinds(line))
            #expect(try JSONText.line(of: cycle) == withKinds(line))
        }
        #expect(try cycle(Self.failed).reasons.allSatisfy { $0.kind == nil })
    }

    @Test func `What is printed of a cycle is as it was, but for the kinds of its reasons`() throws {
        let printed = #"""
            {
              "freeze_seconds" : 0.5,
              "hold_seconds" : 2,
              "hooks" : [
                {
                  "action" : "freeze",
                  "name" : "10-a",
                  "offset_seconds" : 0.5,
                  "path" : "/d/10-a",
                  "reason" : "freeze",
                  "seconds" : 0.192,
                  "started" : "2026-11-23T02:19:47.500+00:00",
                  "status" : 0,
                  "timed_out" : false
                },
                {
                  "action" : "thaw",
                  "name" : "10-a",
                  "offset_seconds" : 3,
                  "path" : "/d/10-a",
                  "reason" : "thaw",
                  "seconds" : 0.25,
                  "started" : "2026-11-23T02:19:50.000+00:00",
                  "status" : 0,
                  "timed_out" : false
                }
              ],
              "id" : "0f3c1d2e-1111-2222-3333-444455556666",
              "prepare_seconds" : 0.5,
              "reason" : "thaw",
              "reasons" : [

              ],
              "started" : "2026-11-23T02:19:47.000+00:00",
              "thaw_seconds" : 0.5,
              "verdict" : "application-consistent",
              "window_seconds" : 3
            }
            """#
        let kinds = "  \"reason_kinds\" : [\n\n  ],\n  \"reasons\" : ["
        #expect(try JSONText.encode(cycle(Self.good)) == printed.replacing("  \"reasons\" : [", with: kinds))
    }

    @Test func `Kinds of reasons come back, and words of a newer version too`() throws {
        let line = Self.failed.replacing(
            #""reasons":["#, with: #""reason_kinds":["a","fault","b","c","d"],"reasons":["#
        )
        .replacing(#""verdict":"crash-consistent""#, with: #""verdict":"frozen-solid""#)
        .replacing(#""action":"thaw""#, with: #""action":"melt""#)
        .replacing(#""reason":"recover""#, with: #""reason":"weather""#)
        .replacing(#""started":"2026-11-23T02:19:47.000+00:00","thaw"#, with: #""started":"day 1","thaw"#)
        #expect(line.contains("weather") && line.contains("melt") && line.contains("day 1"))
        let cycle = try cycle(line)
        #expect(cycle.json.text == line)
        #expect(cycle.verdict != .crashConsistent && !cycle.verdict.isAtLeast(.unsupported))
        #expect(cycle.reason.value == nil && !cycle.isRehearsal && cycle.hooks[3].action.value == nil)
        #expect(cycle.reasons.map(\.kind?.value) == [nil, .fault, nil, nil, nil])
        #expect(!cycle.started.isBefore(.now()) && cycle.started.seconds == 0)
        // An unknown word is shown as it is, and nothing takes it for a known one.
        let terminal = Terminal(columns: nil)
        #expect(Timeline(cycle).lines(for: terminal).contains("verdict  frozen-solid"))
        #expect(HistoryTable([cycle]).lines(for: terminal)[1].contains("day 1"))
        var counters = CycleCounters()
        counters.count(cycle)
        #expect(counters.json.text.contains(#""cycles":{"frozen-solid":1}"#))
        let metrics = Metrics(counters: counters, last: cycle).text
        #expect(!metrics.contains("last_cycle_verdict{verdict=\"crash-consistent\"} 1"))
    }

    @Test func `Counters come back as they were written`() throws {
        let empty = #"{"cycles":{},"expiries":0,"last_started":{},"rehearsals":{},"rollbacks":0}"#
        #expect(CycleCounters().json.text == empty)
        for line in [Self.counters, empty] {
            let counters = try #require(JSON(parsing: bytes(line)).flatMap(CycleCounters.init))
            #expect(counters.json.text == line)
        }
        for damaged in [
            Self.counters.replacing("\"expiries\":1", with: "\"expiries\":9223372036854775807"),
            Self.counters.replacing("\"rollbacks\":0", with: "\"rollbacks\":-1"),
            Self.counters.replacing("\"rollbacks\":0", with: "\"rollbacks\":\"0\""),
        ] {
            #expect(JSON(parsing: bytes(damaged)).flatMap(CycleCounters.init) == nil, "it could not be counted on")
        }
    }

    @Test(arguments: ["id", "reason", "started", "verdict", "reasons", "hooks", "timed_out", "path", "why"])
    func `A line without what every version has written is none`(key: String) throws {
        let line = Self.failed.replacing("\"\(key)\":", with: "\"other\":")
        #expect(line != Self.failed)
        #expect(JSON(parsing: bytes(line)).flatMap(CycleSummary.init) == nil)
    }

    @Test(arguments: [1e300, -1e300, 1e16, 9.3e9, 1e-300])
    func `A duration of a damaged file is held within its limits`(seconds: Double) throws {
        let cycle = try cycle(Self.good.replacing("\"hold_seconds\":2", with: "\"hold_seconds\":\(seconds)"))
        let limit = Duration.nanoseconds(Int64.max)
        #expect(cycle.holdTime == (abs(seconds) < 1 ? .zero : seconds > 0 ? limit : .nanoseconds(Int64.min)))
    }
}
