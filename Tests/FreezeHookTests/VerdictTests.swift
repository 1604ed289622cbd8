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

        init(_ description: String, _ guarantee: Guarantee, _ reasons: [String], _ entries: [RecordEntry]) {
            testDescription = description
            self.guarantee = guarantee
            self.reasons = reasons
            self.entries = entries
        }
    }

    private static let holder = ProcessIdentity(pid: 1, startTime: 1)

    static let cases = [
        Case("no hook", .crashConsistent, ["no hook ran"], []),
        Case("a hook that declares nothing", .applicationConsistent, [], [.starts("a"), .ends()]),
        Case(
            "hooks that all succeeded", .applicationConsistent, [],
            [.starts("a", guarantee: .applicationConsistent), .ends(), .starts("b"), .ends()]
                + [.starts("b", .thaw), .ends(), .starts("a", .thaw), .ends(), .reaches(.thawed)]),
        Case(
            "the weakest guarantee", .nativeCopy, ["b promises no more than native-copy"],
            [.starts("a"), .ends(), .starts("b", guarantee: .nativeCopy), .ends()]),
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
            [.starts("a", guarantee: .unsupported), .ends(77, "nothing to do here"), .starts("b"), .ends()]),
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
            [.starts("a"), .ends(), .hold(name: "db", hook: "a", holder: holder), .released(hold: "db")]),
        Case(
            "a hold that is open", .applicationConsistent, [],
            [.starts("a"), .ends(), .hold(name: "db", hook: "a", holder: holder)]),
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
        #expect(verdict.text == example.guarantee.rawValue + reasons)
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

    @Test func `Each reason has its kind`() throws {
        let verdict = Verdict(
            on: try recorded(
                .starts("a"), .ends(1), .starts("b"), .refused(action: .freeze, path: "/d/c", reason: "r"),
                .hold(name: "db", hook: "a", holder: Self.holder), .lost(hold: "db", time: nil, reason: "l"),
                .reaches(.expired), .fault("f")))
        #expect(
            verdict.reasons.kinds == [
                "fault", "hook-failed", "hook-cut-off", "hook-refused", "hold-lost", "guard-expired",
            ])
        #expect(Verdict(on: try recorded()).reasons.kinds == ["no-hook-ran"])
        let weak = Verdict(on: try recorded(.starts("a", guarantee: .nativeCopy), .ends()))
        #expect(weak.reasons.kinds == ["weak-guarantee"])
    }
}
