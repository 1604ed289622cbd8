// SPDX-License-Identifier: Apache-2.0

import Glibc
import SystemPackage
import TestSupport
import Testing

@testable import FreezeHook
@testable import FreezeHookAdmin
@testable import FreezeHookBase
@testable import FreezeHookRecipes

/// The facts of a cycle's record.
@Suite struct CycleRecordTests {
    @Test(arguments: ["", "\n\n", "nonsense\n", "moment\tbegun\t1\t2\n", "cycle\ta\tb", "cycle\t\tb\n"])
    func `Without a cycle there is no record`(contents: String) {
        #expect(CycleRecord(parsing: bytes(contents)) == nil)
    }

    @Test func `The end of a freeze that goes on behind the guard's thaw is that of its own run`() throws {
        let record = try recorded(
            .starts("a"), .ends(), .starts("b"), .starts("b", .thaw, .expired), .ends(), .starts("a", .thaw, .expired),
            .ends(), .ends(143))
        #expect(record.runs.map { $0.end?.status } == [0, 143, 0, 0])
        #expect(record.namesToThaw == [])
    }

    @Test func `Lines of a later version are passed over`() throws {
        let lines = RecordEntry.begin().line + bytes("later\tx\n\n\u{1}\n") + RecordEntry.starts("a").line
        #expect(try #require(CycleRecord(parsing: lines)).namesToThaw == ["a"])
    }

    // MARK: - What has to be thawed

    /// Entries of a record, and the hooks that have to be thawed then.
    struct Case: CustomTestStringConvertible {
        var testDescription: String
        var entries: [RecordEntry]
        var names: [String]

        init(_ description: String, _ entries: [RecordEntry], _ names: [String]) {
            testDescription = description
            self.entries = entries
            self.names = names
        }
    }

    static let cases = [
        Case("nothing has begun", [], []),
        Case("in the order of the freeze", [.starts("b"), .ends(), .starts("a"), .ends()], ["b", "a"]),
        Case("a hook that still runs", [.starts("a"), .ends(), .starts("b")], ["a", "b"]),
        Case("a hook that failed", [.starts("a"), .ends(3), .starts("b"), .ends(137)], ["a", "b"]),
        Case("a prepared hook holds nothing", [.starts("a", .prepare), .ends()], []),
        Case("prepared, then frozen", [.starts("a", .prepare), .ends(), .starts("a"), .ends()], ["a"]),
        Case(
            "a refused hook has not run", [.refused(action: .freeze, path: "/d/a", reason: "r"), .starts("b")], ["b"]),
        Case(
            "one is thawed", [.starts("a"), .ends(), .starts("b"), .ends(), .starts("b", .thaw), .ends()], ["a"]),
        Case(
            "all are thawed", [.starts("a"), .ends(), .starts("a", .thaw), .ends()], []),
        Case("a thaw that failed has come to its end", [.starts("a"), .ends(), .starts("a", .thaw), .ends(1)], []),
        Case("a thaw that was cut off", [.starts("a"), .ends(), .starts("a", .thaw)], ["a"]),
        Case(
            "a thaw that was cut off and begun again",
            [.starts("a"), .ends(), .starts("a", .thaw), .starts("a", .thaw, .recover), .ends()], []),
        Case(
            "a rollback in the middle",
            [.starts("a"), .ends(), .starts("b"), .ends(1), .starts("b", .thaw, .rollback), .ends()],
            ["a"]),
        Case("the guard's thaw succeeded", [.starts("a"), .ends(), .starts("a", .thaw, .expired), .ends()], []),
        Case(
            "the guard's thaw had nothing to do", [.starts("a"), .ends(), .starts("a", .thaw, .expired), .ends(77)], []),
        // The hook may have waited for a frozen disk.
        Case("the guard's thaw failed", [.starts("a"), .ends(), .starts("a", .thaw, .expired), .ends(1)], ["a"]),
        Case(
            "the guard's thaw failed, and a later one too",
            [.starts("a"), .ends(), .starts("a", .thaw, .expired), .ends(1), .starts("a", .thaw), .ends(1)], []),
        Case("a thaw that was killed", [.starts("a"), .ends(), .starts("a", .thaw), .isKilled], ["a"]),
        Case("a thaw over its limit", [.starts("a"), .ends(), .starts("a", .thaw), .exceedsLimit], ["a"]),
        Case("a thaw that could not be started", [.starts("a"), .ends(), .starts("a", .thaw), .ends(126)], ["a"]),
        Case(
            "a thaw that was killed, and a later one",
            [.starts("a"), .ends(), .starts("a", .thaw), .isKilled]
                + [.starts("a", .thaw), .ends()], []),
        Case(
            "a failing thaw of a hook that declares retry-thaw",
            [.retryThaw(path: "/d/a"), .starts("a"), .ends(), .starts("a", .thaw), .ends(1)], ["a"]),
        Case("what a thaw before has left", [.held(path: "/d/z"), .starts("a"), .ends()], ["z", "a"]),
        Case(
            "what a thaw before has left, and this one not",
            [.held(path: "/d/z"), .starts("z", .thaw), .ends(), .starts("a"), .ends()], ["a"]),
        Case("what is given up", [.starts("a"), .ends(), .starts("a", .thaw), .isKilled, .givenUp(path: "/d/a")], []),
        Case(
            "the same hook twice", [.starts("a"), .ends(), .starts("b"), .ends(), .starts("a"), .ends()], ["a", "b"]),
        Case(
            "lines of others in between",
            [
                .starts("a"), .hold(name: "h", hook: "a", holder: ProcessIdentity(pid: 1, startTime: 1)),
                .drainer(socket: "s"), .ends(), .starts("b"), .fault("f"), .ends(), .reaches(.frozen),
            ], ["a", "b"]),
    ]

    @Test(arguments: cases)
    func `What was frozen and not thawed has to be thawed`(example: Case) throws {
        let record = try #require(CycleRecord(parsing: recordBytes([.begin()] + example.entries)))
        #expect(record.namesToThaw == example.names)
    }

    private static let killed: [RecordEntry] = [.starts("a"), .ends(), .starts("a", .thaw), .isKilled]
    private static let declared: [RecordEntry] = [.retryThaw(path: "/d/a"), .starts("a"), .ends(), .starts("a", .thaw)]
    private static let session = RecordEntry.hold(name: "s", hook: "a", holder: ProcessIdentity(pid: 1, startTime: 1))

    static let held = [
        Case("nothing before the thaw", [.starts("a"), .ends()], []),
        Case("a thaw that failed is an answer", [.starts("a"), .ends(), .starts("a", .thaw), .ends(1)], []),
        Case("a status of a signal's kind is an answer", [.starts("a"), .ends(), .starts("a", .thaw), .ends(137)], []),
        Case("a thaw that was killed", killed, ["a"]),
        Case("a thaw over its limit", [.starts("a"), .ends(), .starts("a", .thaw), .exceedsLimit], ["a"]),
        Case("a thaw that could not be started", [.starts("a"), .ends(), .starts("a", .thaw), .ends(126)], ["a"]),
        Case(
            "a thaw that was refused",
            [.starts("a"), .ends(), .refused(action: .thaw, path: "/d/a", reason: "is writable by others")], ["a"]),
        Case("a later thaw has no answer yet", killed + [.starts("a", .thaw, .recover)], ["a"]),
        Case(
            "a start that is tried again",
            [.starts("a"), .ends(), .starts("a", .thaw), .ends(126), .starts("a", .thaw)], ["a"]),
        Case("a later thaw has an answer", killed + [.starts("a", .thaw, .recover), .ends(3)], []),
        Case("the guard's failing thaw is an answer to it", killed + [.starts("a", .thaw, .expired), .ends(3)], []),
        Case(
            "a hook whose freeze could not be started has locked nothing",
            [.starts("a"), .ends(127), .starts("a", .thaw), .ends(127)], []),
        Case("a hook that had nothing to do", [.starts("a"), .ends(77), .starts("a", .thaw), .isKilled], []),
        Case("a hook whose freeze was cut off", [.starts("a"), .starts("a", .thaw), .isKilled], ["a"]),
        Case("a hook that declares retry-thaw fails", declared + [.ends(1)], ["a"]),
        Case("such a hook has nothing to do", declared + [.ends(77)], []),
        Case("such a hook fails while its session is open", declared + [session, .ends(1)], ["a"]),
        Case(
            "such a hook fails as its session was lost",
            declared + [session, .lost(hold: "s", time: nil, reason: "r"), .ends(1)], []),
        Case("what a thaw before has left", [.held(path: "/d/z")], ["z"]),
        Case("what is given up", killed + [.givenUp(path: "/d/a")], []),
    ]

    @Test(arguments: held) func `What has no answer to its thaw may be held`(example: Case) throws {
        let record = try #require(
            CycleRecord(parsing: recordBytes([.begin(boot: KernelID.boot), .reaches(.begun)] + example.entries)))
        #expect(record.mayBeHeld.map(\.name) == example.names)
        // The end of a cycle forgets nothing that a later one has to thaw.
        let ended = try #require(
            CycleRecord(
                parsing: recordBytes(
                    [.begin(boot: KernelID.boot), .reaches(.begun)] + example.entries + [.reaches(.ended)])))
        #expect(ended.hasEnded && ended.isUnfinished == !example.names.isEmpty)
        let next = try #require(
            CycleRecord(
                parsing: recordBytes(
                    [.begin("cycle-2", boot: KernelID.boot)] + ended.handedOver(ended.mayBeHeld))))
        #expect(next.mayBeHeld == ended.mayBeHeld && next.isUnfinished == ended.isUnfinished)
    }

    @Test func `A start that was tried again is one run`() throws {
        let failed: [RecordEntry] = [.starts("a", .thaw), .ends(126)]
        let entries: [RecordEntry] =
            [.begin(), .starts("a"), .ends()] + failed + failed + [.starts("a", .thaw), .ends()]
        let record = try #require(CycleRecord(parsing: recordBytes(entries)))
        #expect(record.runs.map(\.action) == [.freeze, .thaw] && record.runs.last?.end?.status == 0)
        #expect(Verdict(on: record).guarantee == .applicationConsistent)
    }

    @Test func `Hooks are told apart by their paths, not by their cleaned names`() throws {
        let raw = FilePath(bytes: bytes("/d/a") + [0x0a])
        func start(_ path: FilePath, _ action: HookAction) -> RecordEntry {
            .start(action: action, reason: .freeze, path: path, guarantee: nil, time: .at(0))
        }
        let record = try recorded(
            start(raw, .freeze), .ends(), start("/d/a\\x0a", .freeze), .ends(), start(raw, .thaw), .ends())
        #expect(record.hooksToThaw == ["/d/a\\x0a"])
    }

    // MARK: - Runs, moments, holds

    @Test func `A run has its process and its end`() throws {
        let process = ProcessIdentity(pid: 7, startTime: 8)
        let end = RecordEntry.end(
            status: 137, signal: 9, timedOut: true, duration: .milliseconds(192), explanation: "words")
        let record = try recorded(
            .starts("a", guarantee: .nativeCopy, at: 1), .process(process), end,
            .starts("b", .thaw, .recover, at: 2))
        let run = try #require(record.runs.first)
        #expect(run.name == "a" && run.action == .freeze && run.reason == .freeze && run.guarantee == .nativeCopy)
        #expect(run.started == .at(1))
        #expect(run.process == process)
        #expect(run.end?.status == 137 && run.end?.signal == 9 && run.end?.timedOut == true)
        #expect(run.end?.duration == .milliseconds(192) && run.end?.explanation == "words")
        let last = try #require(record.runs.last)
        #expect(last.name == "b" && last.reason == .recover && last.process == nil && last.end == nil)
    }

    @Test func `Ends without a start do no harm`() throws {
        let record = try recorded(.ends(), .process(ProcessIdentity(pid: 1, startTime: 1)), .starts("a"))
        #expect(record.runs.count == 1)
        #expect(record.runs.first?.end == nil)
    }

    @Test func `Of a moment that comes again the first one counts`() throws {
        let record = try recorded(.reaches(.thawing, at: 1), .reaches(.thawing, at: 2))
        #expect(record.moments[.thawing] == .at(1))
    }

    @Test func `A frozen, an expired and an unfinished cycle are known by their moments`() throws {
        let begun = try #require(
            CycleRecord(parsing: recordBytes([.begin(boot: KernelID.boot), .reaches(.begun), .reaches(.windowOpened)])))
        #expect(begun.isUnfinished && !begun.isFrozen && !begun.hasExpired)
        #expect(try recorded(.reaches(.frozen)).isFrozen)
        #expect(try recorded(.reaches(.expired)).hasExpired)
        // Records of another boot, and of a cycle that has done nothing yet.
        #expect(try !recorded(.reaches(.begun)).isUnfinished)
        #expect(try !#require(CycleRecord(parsing: RecordEntry.begin(boot: KernelID.boot).line)).isUnfinished)
    }

    @Test func `A record without an id of its boot is told by its beginning`() throws {
        func record(_ boot: String, begun: WallTime) throws -> CycleRecord {
            let moment = RecordEntry.moment(.begun, Timestamp(monotonic: .now(), wall: begun))
            return try #require(CycleRecord(parsing: recordBytes([.begin(boot: boot), moment])))
        }
        let boot = WallTime(microseconds: 1_000_000_000)
        let (before, after) = (WallTime(microseconds: 900_000_000), WallTime(microseconds: 1_000_000_001))
        #expect(try !record("", begun: before).isOf(boot: "2", begun: boot))
        #expect(try record("", begun: after).isOf(boot: "2", begun: boot))
        #expect(try record("", begun: after).isOf(boot: "", begun: boot))
        #expect(try record("1", begun: after).isOf(boot: "", begun: boot))
        #expect(try !record("1", begun: before).isOf(boot: "", begun: boot))
        // Two ids are never doubted.
        #expect(try !record("1", begun: after).isOf(boot: "2", begun: boot))
        #expect(try record("1", begun: before).isOf(boot: "1", begun: boot))
        for extreme in [Int64.min, .max] {
            #expect(try record("", begun: WallTime(microseconds: extreme)).isOf(boot: "", begun: boot) == (extreme > 0))
        }
        #expect(try record("", begun: .now()).isUnfinished)
    }

    @Test func `An id of a cycle is a random UUID, and the kernel's moment of the boot is the machine's`() throws {
        let ids = (0..<100).map { _ in KernelID.random() }
        #expect(Set(ids).count == 100)
        for id in ids {
            #expect(id.split(separator: "-").map(\.count) == [8, 4, 4, 4, 12])
            #expect(id.allSatisfy { $0 == "-" || $0.isHexDigit && !$0.isUppercase })
            let digits = Array(id)
            #expect(digits[14] == "4" && "89ab".contains(digits[19]))
        }
        // btime of proc(5), in seconds.
        let line = Files.text(of: "/proc/stat").split(separator: "\n").first { $0.hasPrefix("btime ") }
        let seconds = try #require(line.flatMap { Int64($0.dropFirst("btime ".count)) })
        #expect(abs(WallTime.ofBoot.microseconds / 1_000_000 - seconds) <= 2)
    }

    @Test(
        arguments: [
            ([], false), ([.begun, .windowOpened, .frozen], false), ([.frozen, .expired], true),
            ([.frozen, .thawing], true),
            ([.windowOpened, .thawing], true),
        ] as [([CycleMoment], Bool)])
    func `A cycle is being thawed once the thaw or the guard has begun`(moments: [CycleMoment], isBeingThawed: Bool)
        throws
    {
        let entries = moments.map { RecordEntry.reaches($0) }
        let record = try #require(CycleRecord(parsing: recordBytes([.begin()] + entries)))
        #expect(record.isBeingThawed == isBeingThawed)
    }

    @Test func `A hold is open until it is released or lost`() throws {
        let holder = ProcessIdentity(pid: 1, startTime: 2)
        let client = ProcessIdentity(pid: 3, startTime: 4)
        let record = try recorded(
            .hold(name: "a", hook: "10-a", holder: holder), .client(hold: "a", client),
            .hold(name: "b", hook: "", holder: holder), .hold(name: "c", hook: "", holder: holder),
            .released(hold: "b"), .lost(hold: "c", time: Timestamp.at(1).wall, reason: "first"),
            .lost(hold: "c", time: nil, reason: "second"), .client(hold: "none", client), .released(hold: "none"))
        #expect(record.openHolds.map(\.name) == ["a"])
        #expect(record.openHolds.first?.client == client && record.openHolds.first?.hook == "10-a")
        #expect(record.holds.map(\.ending) == [nil, .released, .lost(time: Timestamp.at(1).wall, reason: "first")])
    }

    @Test func `A hold of a name that came again is the last one`() throws {
        let holder = ProcessIdentity(pid: 1, startTime: 2)
        let record = try recorded(
            .hold(name: "a", hook: "", holder: holder), .released(hold: "a"),
            .hold(name: "a", hook: "", holder: holder), .lost(hold: "a", time: nil, reason: "r"))
        #expect(record.holds.map(\.ending) == [.released, .lost(time: nil, reason: "r")])
    }

    @Test func `Drainers, the guard, refusals and faults are kept`() throws {
        let guardian = ProcessIdentity(pid: 5, startTime: 6)
        let record = try recorded(
            .drainer(socket: "d1"), .drainer(socket: "d2"), .drainer(socket: "d3"), .drained(socket: "d2"),
            .drained(socket: "none"), .guardian(guardian, socket: "g"),
            .refused(action: .thaw, path: "/d/a", reason: "r"), .fault("f"))
        #expect(record.drainers == ["d1", "d3"])
        #expect(record.guardian?.process == guardian && record.guardian?.socket == "g")
        #expect(record.refusals.count == 1)
        #expect(record.refusals.first?.path == "/d/a" && record.refusals.first?.action == .thaw)
        #expect(record.faults == ["f"])
    }
}
