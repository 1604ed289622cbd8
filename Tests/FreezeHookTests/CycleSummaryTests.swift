// SPDX-License-Identifier: Apache-2.0

import SystemPackage
import Testing

@testable import FreezeHook
@testable import FreezeHookAdmin
@testable import FreezeHookBase
@testable import FreezeHookRecipes

/// A cycle as the history and `status --json` show it.
@Suite struct CycleSummaryTests {
    /// The durations of a cycle with these moments.
    private func durations(_ entries: RecordEntry...) throws -> [Double?] {
        let record = try #require(CycleRecord(parsing: recordBytes([.begin()] + entries)))
        let summary = CycleSummary(of: record)
        return [
            summary.prepareTime, summary.freezeTime, summary.holdTime, summary.thawTime, summary.windowTime,
        ].map { $0?.inSeconds }
    }

    @Test func `The parts of a whole cycle`() throws {
        let parts = try durations(
            .reaches(.begun, at: 0), .reaches(.windowOpened, at: 0.5), .reaches(.frozen, at: 2.25),
            .reaches(.thawing, at: 10), .reaches(.thawed, at: 10.125))
        #expect(parts == [0.5, 1.75, 7.75, 0.125, 9.625])
    }

    @Test func `A window that the guard ended was held until then`() throws {
        let parts = try durations(
            .reaches(.begun, at: 0), .reaches(.windowOpened, at: 1), .reaches(.frozen, at: 2),
            .reaches(.expired, at: 5),
            .reaches(.thawed, at: 6), .reaches(.thawing, at: 100))
        #expect(parts == [1, 1, 3, 1, 5])
    }

    @Test func `A freeze that was rolled back was never held`() throws {
        let parts = try durations(
            .reaches(.begun, at: 0), .reaches(.windowOpened, at: 1), .reaches(.thawing, at: 3), .reaches(.thawed, at: 4)
        )
        #expect(parts == [1, 2, nil, 1, 3])
    }

    @Test func `What has not happened has no duration`() throws {
        #expect(try durations() == [nil, nil, nil, nil, nil])
        #expect(try durations(.reaches(.begun)) == [nil, nil, nil, nil, nil])
        #expect(try durations(.reaches(.begun, at: 0), .reaches(.windowOpened, at: 1)) == [1, nil, nil, nil, nil])
        #expect(
            try durations(.reaches(.begun, at: 0), .reaches(.windowOpened, at: 1), .reaches(.frozen, at: 2))
                == [1, 1, nil, nil, nil])
    }

    @Test func `Its id, verdict and hooks are those of the record`() throws {
        let record = try recorded(
            .reaches(.begun, at: 0), .starts("a\u{1b}", guarantee: .nativeCopy, at: 1), .ends(), .starts("b", at: 2),
            .end(status: 124, signal: 15, timedOut: true, duration: .milliseconds(502), explanation: "e"),
            .starts("b", .thaw, .recover, at: 3))
        let summary = CycleSummary(of: record)
        #expect(summary.id == "cycle-1")
        #expect(summary.reason == .recover)
        #expect(summary.started.text == Timestamp.at(0).wall.rfc3339)
        #expect(summary.verdict == .crashConsistent)
        #expect(summary.guarantee?.value == .nativeCopy)
        #expect(
            summary.reasons.texts == ["b finished with status=124 (e)", "b thaw was cut off: the program was killed"])
        #expect(
            summary.hooks == [
                CycleSummary.Run(
                    name: "a\\x1b", path: "/d/a\\x1b", action: Word(.freeze), reason: Word(.freeze), status: 0,
                    signal: nil,
                    timedOut: false, started: KeptTime(Timestamp.at(1).wall), offset: .seconds(1),
                    duration: .milliseconds(1)),
                CycleSummary.Run(
                    name: "b", path: "/d/b", action: Word(.freeze), reason: Word(.freeze), status: 124, signal: 15,
                    timedOut: true,
                    started: KeptTime(Timestamp.at(2).wall), offset: .seconds(2), duration: .milliseconds(502)),
                CycleSummary.Run(
                    name: "b", path: "/d/b", action: Word(.thaw), reason: Word(.recover), status: nil, signal: nil,
                    timedOut: false, started: KeptTime(Timestamp.at(3).wall), offset: .seconds(3), duration: nil),
            ])
    }

    @Test func `As JSON it has the documented keys and comes back`() throws {
        let summary = CycleSummary(
            of: try recorded(
                .reaches(.begun), .reaches(.windowOpened, at: 0.5), .starts("a\"\\/é"), .ends(),
                .reaches(.frozen, at: 1),
                .reaches(.thawing, at: 2), .reaches(.thawed, at: 3)))
        let line = summary.json.text
        #expect(try JSONText.line(of: summary) == line)
        #expect(!line.contains("\n"))
        for key in [
            "id", "reason", "started", "verdict", "guarantee", "reasons", "reason_kinds", "prepare_seconds",
            "freeze_seconds",
            "hold_seconds", "thaw_seconds", "window_seconds", "hooks", "name", "path", "action", "status", "timed_out",
            "seconds",
        ] {
            #expect(line.contains("\"\(key)\":"), "\(key)")
        }
        #expect(JSON(parsing: bytes(line)).flatMap(CycleSummary.init) == summary)
        #expect(JSON(parsing: bytes(String(line.dropLast()))) == nil)
    }

    @Test func `A rehearsal is one, whatever became of it`() throws {
        let mark = RecordEntry.rehearsal(ProcessIdentity(pid: 1, startTime: 2))
        for entries in [[], [.starts("a", .thaw, .recover), .ends()], [.reaches(.expired)]] as [[RecordEntry]] {
            let record = try #require(CycleRecord(parsing: recordBytes([.begin(), mark] + entries)))
            let summary = CycleSummary(of: record)
            #expect(record.isRehearsal && summary.isRehearsal && summary.reason == .rehearsal)
        }
        #expect(try !CycleSummary(of: recorded(.starts("a", .thaw), .ends())).isRehearsal)
    }

    @Test func `A freeze that was rolled back before anything was frozen says so`() throws {
        #expect(try CycleSummary(of: recorded(.reaches(.begun), .reaches(.thawing))).reason == .rollback)
        #expect(
            try CycleSummary(of: recorded(.reaches(.begun), .reaches(.frozen), .reaches(.thawing))).reason == .freeze)
    }

    @Test func `Failed hooks are named once, refused and cut off ones among them`() throws {
        let summary = CycleSummary(
            of: try recorded(
                .starts("a"), .ends(3), .starts("b"), .ends(77), .starts("c"), .starts("a", .thaw), .ends(4),
                .refused(action: .freeze, path: FilePath("/d/e"), reason: "why"), .reaches(.expired)))
        #expect(summary.failedHooks == ["a", "c", "e"])
        #expect(summary.refusals == [.init(name: "e", path: "/d/e", action: Word(.freeze), why: "why")])
        #expect(summary.expired)
        #expect(try CycleSummary(of: recorded(.starts("a"), .ends())).refusals.isEmpty)
    }
}
