// SPDX-License-Identifier: Apache-2.0

import SystemPackage
import Testing

@testable import FreezeHook
@testable import FreezeHookAdmin
@testable import FreezeHookBase
@testable import FreezeHookRecipes

/// The verdict on an image, and its reasons.
@Suite struct VerdictTests {
    /// A record's entries and the verdict on them.
    struct Case: CustomTestStringConvertible {
        var testDescription: String
        var guarantee: Guarantee
        var reasons: [String]
        var entries: [RecordEntry]
        /// The hooks that have succeeded and declare nothing, in words; nil where the verdict does not rest on them.
        var doubt: String?

        init(
            _ description: String, _ guarantee: Guarantee, _ reasons: [String], _ entries: [RecordEntry],
            doubt: String? = nil
        ) {
            self.doubt = doubt
            testDescription = description
            self.guarantee = guarantee
            self.reasons = reasons
            self.entries = entries
        }
    }

    private static let holder = ProcessIdentity(pid: 1, startTime: 1)

    static let cases = [
        Case("no hook", .crashConsistent, ["no hook ran"], []),
        Case(
            "a hook that declares nothing", .applicationConsistent, [], [.starts("a"), .ends()],
            doubt: "as far as a tells"),
        Case(
            "hooks that all succeeded", .applicationConsistent, [],
            [.starts("a", guarantee: .applicationConsistent), .ends(), .starts("b"), .ends()]
                + [.starts("b", .thaw), .ends(), .starts("a", .thaw), .ends(), .reaches(.thawed)],
            doubt: "as far as b tells"),
        Case(
            "the weakest guarantee", .nativeCopy, ["b promises no more than native-copy"],
            [.starts("a"), .ends(), .starts("b", guarantee: .nativeCopy), .ends()], doubt: "as far as a tells"),
        Case(
            "the weakest of several", .unsupported, ["b promises no more than unsupported"],
            [.starts("a", guarantee: .crashConsistent), .ends(), .starts("b", guarantee: .unsupported), .ends()]),
        Case(
            "a hook that says itself that it is crash-consistent", .crashConsistent,
            ["a promises no more than crash-consistent"], [.starts("a", guarantee: .crashConsistent), .ends()]),
        Case(
            "a failed hook", .crashConsistent, ["a finished with status=3"],
            [.starts("a"), .ends(3), .starts("b"), .ends()]),
        Case(
            "words of a failed hook", .crashConsistent, ["a finished with status=137 (killed by SIGKILL)"],
            [.starts("a"), .ends(137, "killed by SIGKILL")]),
        Case(
            "a failure makes no weak guarantee better", .unsupported, ["a finished with status=1"],
            [.starts("a", guarantee: .unsupported), .ends(1)]),
        Case(
            "nothing to do does not count", .applicationConsistent, [],
            [.starts("a", guarantee: .unsupported), .ends(77, "nothing to do here"), .starts("b"), .ends()],
            doubt: "as far as b tells"),
        Case(
            "nothing to do for all", .crashConsistent, ["no hook ran"],
            [.starts("a"), .ends(77), .starts("b"), .ends(77)]),
        Case(
            "a failed prepare", .crashConsistent, ["a prepare finished with status=1"],
            [.starts("a", .prepare), .ends(1), .starts("a"), .ends()]),
        Case(
            "prepare alone freezes nothing", .crashConsistent, ["no hook ran"], [.starts("a", .prepare), .ends()]),
        Case(
            "a failed thaw", .crashConsistent, ["a thaw finished with status=1"],
            [.starts("a"), .ends(), .starts("a", .thaw), .ends(1)]),
        Case(
            "a thaw that fails each time it is tried", .crashConsistent, ["a thaw finished with status=1"],
            [.starts("a"), .ends(), .starts("a", .thaw), .ends(1), .starts("a", .thaw), .ends(1)]),
        Case(
            "a hook that was cut off", .crashConsistent, ["a was cut off: the program was killed"], [.starts("a")]),
        Case(
            "a thaw that was cut off", .crashConsistent, ["a thaw was cut off: the program was killed"],
            [.starts("a"), .ends(), .starts("a", .thaw)]),
        Case(
            "a refused hook", .crashConsistent, ["a was not called with freeze: is writable by others"],
            [.starts("b"), .ends(), .refused(action: .freeze, path: "/d/a", reason: "is writable by others")]),
        Case(
            "a refused hook alone", .crashConsistent, ["a was not called with thaw: r", "no hook ran"],
            [.refused(action: .thaw, path: "/d/a", reason: "r")]),
        Case(
            "a released hold", .applicationConsistent, [],
            [.starts("a"), .ends(), .hold(name: "db", hook: "a", holder: holder), .released(hold: "db")],
            doubt: "as far as a tells"),
        Case(
            "a hold that is open", .applicationConsistent, [],
            [.starts("a"), .ends(), .hold(name: "db", hook: "a", holder: holder)], doubt: "as far as a tells"),
        Case(
            "what a hook left running, up to its thaw", .applicationConsistent, [],
            [
                .starts("a", guarantee: .applicationConsistent), .ends(), .left(path: "/d/a", holder),
                .starts("a", .thaw), .ends(),
            ]),
        Case(
            "what a hook left running ended unseen", .crashConsistent, ["what a left running ended before the thaw"],
            [.starts("a"), .ends(), .left(path: "/d/a", holder), .leftEnded(holder, time: nil)]),
        Case(
            "what hooks left running ended, told twice and by several", .crashConsistent,
            [
                "what b left running ended before the thaw, at \(Timestamp.at(5).wall.rfc3339)",
                "what a left running ended before the thaw",
            ],
            [
                .starts("a"), .ends(), .starts("b"), .ends(), .left(path: "/d/b", holder),
                .left(path: "/d/a", ProcessIdentity(pid: 2, startTime: 2)),
                .left(path: "/d/b", ProcessIdentity(pid: 3, startTime: 2)),
                .leftEnded(ProcessIdentity(pid: 2, startTime: 2), time: nil), .leftEnded(holder, time: nil),
                .leftEnded(ProcessIdentity(pid: 3, startTime: 2), time: Timestamp.at(7).wall),
                .leftEnded(holder, time: Timestamp.at(5).wall),
            ]),
        Case(
            "an agent that gave its freeze up", .crashConsistent,
            ["the agent thawed before it had answered the freeze: nothing was frozen for an image"],
            [.starts("a"), .ends(), .agent(holder, writes: 7), .reaches(.frozen), .unanswered]),
        Case(
            "a lost hold", .crashConsistent, ["hold db lost at \(Timestamp.at(5).wall.rfc3339): r"],
            [
                .starts("a"), .ends(), .hold(name: "db", hook: "a", holder: holder),
                .lost(hold: "db", time: Timestamp.at(5).wall, reason: "r"),
            ]),
        Case(
            "a hold lost unseen", .crashConsistent, ["hold db lost at an unknown moment: r"],
            [
                .starts("a"), .ends(), .hold(name: "db", hook: "a", holder: holder),
                .lost(hold: "db", time: nil, reason: "r"),
            ]),
        Case(
            "a window that the guard ended", .crashConsistent,
            ["the guard ended the window at \(Timestamp.at(5).wall.rfc3339): no thaw had come"],
            [.starts("a"), .ends(), .reaches(.frozen), .reaches(.expired, at: 5)]),
        Case("a fault", .crashConsistent, ["f"], [.starts("a"), .ends(), .fault("f")]),
        Case(
            "everything at once", .crashConsistent,
            [
                "f", "a finished with status=1", "b was not called with freeze: r",
                "hold db lost at an unknown moment: l",
                "the guard ended the window at \(Timestamp.at(5).wall.rfc3339): no thaw had come",
            ],
            [
                .starts("a"), .ends(1), .refused(action: .freeze, path: "/d/b", reason: "r"),
                .hold(name: "db", hook: "a", holder: holder), .lost(hold: "db", time: nil, reason: "l"),
                .reaches(.expired, at: 5), .fault("f"),
            ]),
    ]

    @Test(arguments: cases)
    func `The verdict on a cycle`(example: Case) throws {
        let record = try #require(CycleRecord(parsing: recordBytes([.begin()] + example.entries)))
        let verdict = Verdict(on: record)
        #expect(verdict.guarantee == example.guarantee)
        #expect(verdict.reasons.texts == example.reasons)
        let reasons = example.reasons.isEmpty ? "" : ": " + example.reasons.joined(separator: "; ")
        let doubt = example.doubt.map { ", \($0)" } ?? ""
        #expect(verdict.text == example.guarantee.rawValue + doubt + reasons)
    }

    @Test func `A hook's name is cleaned in a reason`() throws {
        let path = FilePath(bytes: bytes("/d/a\n") + [0xff])
        let start = RecordEntry.start(action: .freeze, reason: .freeze, path: path, guarantee: nil, time: .at(0))
        #expect(Verdict(on: try recorded(start, .ends(1))).reasons.texts == ["a\\x0a\\xff finished with status=1"])
    }

    @Test func `A freeze that did not come to its end has made no image`() throws {
        let verdict = Verdict(on: try recorded(.starts("a"), .ends(), .reaches(.thawing)))
        #expect(verdict.guarantee == .crashConsistent)
        #expect(verdict.reasons == [Reason(.freezeIncomplete, "the freeze did not come to its end")])
    }

    @Test(arguments: [
        (["a"], "as far as a tells"), (["a", "b"], "as far as a and b tell"),
        (["a", "b", "c"], "as far as a, b and c tell"),
        (["a", "b", "c", "d", "e", "f", "g"], "as far as a, b, c, d, e and 2 more tell"),
    ])
    func `A verdict names the hooks that declare nothing`(names: [String], words: String) throws {
        #expect(Doubt(Word(.applicationConsistent), undeclared: names)?.description == words)
        #expect(Doubt(Word(.crashConsistent), undeclared: names) == nil)
        #expect(Doubt(Word(text: "eternal"), undeclared: names) == nil)
        #expect(Doubt(Word(.applicationConsistent), undeclared: []) == nil)
    }

    @Test func `Each reason has its kind`() throws {
        let verdict = Verdict(
            on: try recorded(
                .starts("a"), .ends(1), .starts("b"), .refused(action: .freeze, path: "/d/c", reason: "r"),
                .hold(name: "db", hook: "a", holder: Self.holder), .lost(hold: "db", time: nil, reason: "l"),
                .left(path: "/d/b", Self.holder), .leftEnded(Self.holder, time: nil), .unanswered,
                .reaches(.expired), .fault("f")))
        #expect(
            verdict.reasons.kinds == [
                "fault", "hook-failed", "hook-cut-off", "hook-refused", "hold-lost", "leftover-ended",
                "freeze-unanswered", "guard-expired",
            ])
        #expect(Verdict(on: try recorded()).reasons.kinds == ["no-hook-ran"])
        let weak = Verdict(on: try recorded(.starts("a", guarantee: .nativeCopy), .ends()))
        #expect(weak.reasons.kinds == ["weak-guarantee"])
    }
}
