// SPDX-License-Identifier: Apache-2.0

import SystemPackage
import TestSupport
import Testing

@testable import FreezeHook
@testable import FreezeHookAdmin
@testable import FreezeHookBase

/// The present state by a record.
@Suite struct WindowStateTests {
    /// A record, the living processes, and the state.
    struct Case: CustomTestStringConvertible {
        var testDescription: String
        var entries: [RecordEntry]
        var isWorkedOn = false
        var dead: Set<Int32> = []
        var state: Status.State
        var left: Duration?
        var alive: [Bool] = []
        var attentions: [Attention] = []
        var isRehearsal = false
    }

    private static let guardian = RecordEntry.guardian(ProcessIdentity(pid: 2, startTime: 1), socket: "guard")
    private static let hold = RecordEntry.hold(
        name: "db", hook: "10-a", holder: ProcessIdentity(pid: 3, startTime: 1))
    private static let other = RecordEntry.hold(
        name: "kv", hook: "", holder: ProcessIdentity(pid: 4, startTime: 1))
    private static let killedThaw: [RecordEntry] = [
        .starts("10-a"), .ends(), .reaches(.thawing), .starts("10-a", .thaw), .isKilled,
    ]
    private static let frozen: [RecordEntry] = [.reaches(.begun), .reaches(.windowOpened), .reaches(.frozen, at: 10)]

    static let cases = [
        Case(testDescription: "the freeze runs", entries: [.reaches(.begun)], isWorkedOn: true, state: .freezing),
        Case(
            testDescription: "the freeze was killed", entries: [.reaches(.begun)], state: .freezing,
            attentions: [.freezeKilled(cycle: "cycle-1")]),
        Case(
            testDescription: "the freeze was killed in its rollback", entries: [.reaches(.begun), .reaches(.thawing)],
            state: .thawing, attentions: [.freezeKilled(cycle: "cycle-1")]),
        Case(
            testDescription: "a thaw has left something held", entries: frozen + [guardian] + killedThaw,
            state: .thawing, attentions: [.mayBeHeld(hook: "10-a")]),
        Case(
            testDescription: "a rollback has left something held", entries: [.reaches(.begun)] + killedThaw,
            state: .thawing, attentions: [.mayBeHeld(hook: "10-a")]),
        Case(
            testDescription: "the guard has left something held",
            entries: frozen + [.reaches(.expired), .starts("10-a"), .ends(), .starts("10-a", .thaw), .isKilled],
            state: .thawed, attentions: [.windowExpired(cycle: "cycle-1"), .mayBeHeld(hook: "10-a")]),
        Case(
            testDescription: "a cycle before has left something held", entries: [.held(path: "/d/10-z")] + frozen,
            state: .frozen, attentions: [.mayBeHeld(hook: "10-z")]),
        Case(testDescription: "frozen without a guard", entries: frozen, state: .frozen),
        Case(testDescription: "frozen and guarded", entries: frozen + [guardian], state: .frozen, left: .seconds(290)),
        Case(
            testDescription: "a rehearsal", entries: [.rehearsal(ProcessIdentity(pid: 1, startTime: 1))] + frozen,
            state: .frozen, isRehearsal: true),
        Case(
            testDescription: "the guard was killed", entries: frozen + [guardian], dead: [2], state: .frozen,
            attentions: [.guardKilled(cycle: "cycle-1")]),
        Case(
            testDescription: "a session is open", entries: frozen + [hold], state: .frozen, alive: [true]),
        Case(
            testDescription: "a session was released", entries: frozen + [hold, .released(hold: "db")], state: .frozen),
        Case(
            testDescription: "a session's holder is dead", entries: frozen + [hold, other], dead: [3], state: .frozen,
            alive: [false, true], attentions: [.sessionLost(name: "db")]),
        Case(
            testDescription: "both sessions and the guard are dead", entries: frozen + [guardian, hold, other],
            dead: [2, 3, 4], state: .frozen, alive: [false, false],
            attentions: [.guardKilled(cycle: "cycle-1"), .sessionLost(name: "db"), .sessionLost(name: "kv")]),
        Case(
            testDescription: "the thaw runs", entries: frozen + [guardian, .reaches(.thawing)], isWorkedOn: true,
            dead: [2], state: .thawing),
        Case(
            testDescription: "the guard thaws", entries: frozen + [guardian, .reaches(.expired)], isWorkedOn: true,
            state: .thawing, attentions: [.windowExpired(cycle: "cycle-1")]),
        Case(
            testDescription: "the guard has thawed", entries: frozen + [guardian, .reaches(.expired)], dead: [2],
            state: .thawed, attentions: [.windowExpired(cycle: "cycle-1")]),
        Case(
            testDescription: "the guard has ended the window, and a session was lost in it",
            entries: frozen + [guardian, hold, .lost(hold: "db", time: nil, reason: "r"), .reaches(.expired)],
            dead: [2, 3], state: .thawed, alive: [false],
            attentions: [.windowExpired(cycle: "cycle-1"), .sessionLost(name: "db")]),
        Case(
            testDescription: "the guard has ended a window whose record was lost",
            entries: [.reaches(.begun), .reaches(.expired)], state: .thawed,
            attentions: [.windowExpired(cycle: "cycle-1")]),
    ]

    @Test(arguments: cases)
    func `The state of a window`(example: Case) throws {
        let record = try #require(CycleRecord(parsing: recordBytes([.begin()] + example.entries)))
        let window = WindowState(
            of: record, isWorkedOn: example.isWorkedOn, holdLimit: .seconds(300), now: Timestamp.at(20).monotonic
        ) { !example.dead.contains($0.pid) }
        #expect(window.state == example.state)
        #expect(window.guardTimeLeft == example.left)
        #expect(window.holds.map(\.alive) == example.alive)
        #expect(window.attentions == example.attentions)
        #expect(window.isRehearsal == example.isRehearsal)
        #expect((window.frozenSince != nil) == (example.state == .frozen))
    }

    @Test func `A guard that is late has no time left`() throws {
        let record = try #require(CycleRecord(parsing: recordBytes([.begin()] + Self.frozen + [Self.guardian])))
        let window = WindowState(
            of: record, isWorkedOn: false, holdLimit: .seconds(5), now: Timestamp.at(20).monotonic,
            isAlive: { _ in true })
        #expect(window.guardTimeLeft == .zero)
    }

    @Test(
        arguments: [
            (
                .windowExpired(cycle: "c"), "fsfreeze-hook thaw",
                "the guard has ended the window of cycle c and its thaw has not come: fsfreeze-hook thaw"
            ),
            (
                .guardKilled(cycle: "c"), "fsfreeze-hook thaw",
                "the guard of cycle c has been killed: nothing ends the window but fsfreeze-hook thaw"
            ),
            (
                .freezeKilled(cycle: "c"), "fsfreeze-hook recover",
                "the freeze of cycle c was killed: fsfreeze-hook recover"
            ),
            (.sessionLost(name: "db"), nil, "the session db has ended too early"),
            (
                .historyUnreadable(place: "/p", reason: .permissionDenied), "sudo fsfreeze-hook status",
                "the history in /p cannot be read: \(Errno.permissionDenied); call it as root"
            ),
            (
                .historyUnreadable(place: "/p", reason: .notDirectory), nil,
                "the history in /p cannot be read: \(Errno.notDirectory)"
            ),
        ] as [(Attention, String?, String)])
    func `What needs attention, in words`(attention: Attention, repair: String?, words: String) {
        #expect(attention.repair == repair)
        #expect("\(attention)" == words)
        #expect(words.hasPrefix(attention.problem))
    }

    @Test func `The status, its JSON, Nagios and check tell all that needs attention`() throws {
        let fixture = try SystemFixture(.debian12)
        try fixture.addMariaDB()
        let holder = RecordEntry.hold(name: "db", hook: "10-a", holder: ProcessIdentity(pid: 1, startTime: 1))
        let entries: [RecordEntry] =
            [.begin("c-1", boot: KernelID.boot)] + Self.frozen + [
                holder, .lost(hold: "db", time: nil, reason: "r"), .reaches(.expired),
            ]
        try fixture.file("/run/none", "")
        let directory = try RunDirectory(path: FilePath("\(fixture.root)/run/fsfreeze-hook"))
        let recorder = CycleRecorder(in: directory, .new)
        entries.forEach(recorder.append)
        let machine = try fixture.machine()
        let first = "the guard has ended the window of cycle c-1 and its thaw has not come"
        let second = "the session db has ended too early"
        let findings = try #require(CheckReport(machine).checks.first { $0.name == "cycle" }).findings
        #expect(findings.map(\.reason) == ["\(first): fsfreeze-hook thaw", second])
        #expect(findings.map(\.repair) == ["fsfreeze-hook thaw", "fsfreeze-hook status"])
        var places = machine.locations
        places.runDirectory = directory.path
        places.stateDirectory = FilePath("\(fixture.root)/state")
        let status = Status(locations: places, settings: Settings())
        #expect(!status.isGood)
        let lines = status.lines(for: Terminal(columns: nil))
        #expect(
            lines.filter { $0.hasPrefix("attention:") } == [
                "attention:  \(first): fsfreeze-hook thaw", "attention:  \(second)",
            ])
        let json = try JSONText.line(of: status)
        #expect(json.contains(#""attention":"\#(first): fsfreeze-hook thaw","#))
        #expect(
            json.contains(
                #""attentions":[{"problem":"\#(first)","repair":"fsfreeze-hook thaw"},{"problem":"\#(second)"}]"#))
        let report = NagiosReport(
            locations: places, settings: Settings(), maxAge: .seconds(1), accepting: .applicationConsistent, now: .now()
        )
        #expect(report.state == .critical)
        #expect(report.line.hasPrefix("FSFREEZE CRITICAL - \(first): fsfreeze-hook thaw; \(second); no cycle yet"))
    }
}
