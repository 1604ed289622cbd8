import SystemPackage
import TestSupport
import Testing

@testable import FreezeHook

/// The cycle record, and what follows from it.
@Suite struct RecordTests {
    private static let process = ProcessIdentity(pid: 4711, startTime: 42)
    private static let hostile = FilePath(bytes: [0x2f, 0x09, 0x0a, 0x25, 0xff, 0x20])

    private static func at(_ seconds: Int64) -> Timestamp {
        Timestamp(monotonic: MonotonicTime(nanoseconds: seconds * 1_000_000_000), wall: WallTime(microseconds: seconds))
    }

    private static func start(_ path: FilePath, _ action: HookAction = .freeze, _ guarantee: Guarantee? = nil)
        -> RecordEntry
    {
        .start(action: action, reason: action == .thaw ? .thaw : .freeze, path: path, guarantee: guarantee, time: at(1))
    }

    private static func end(_ status: Int32) -> RecordEntry {
        .end(status: status, signal: nil, timedOut: false, duration: .milliseconds(5), explanation: "")
    }

    private func record(_ entries: RecordEntry...) throws -> CycleRecord {
        let first = RecordEntry.cycle(id: "id", bootID: "boot")
        return try #require(CycleRecord(parsing: ([first] + entries).flatMap(\.line)))
    }

    @Test(
        arguments: [
            .cycle(id: "a", bootID: "b"), .moment(.windowOpened, at(5)), start(hostile, .prepare, .nativeCopy),
            start("/x", .thaw),
            .process(process), end(3), .refused(action: .thaw, path: hostile, reason: "a\tb\nc"), .drainer(socket: "s"),
            .drained(socket: "s"),
            .end(status: 137, signal: 9, timedOut: true, duration: .seconds(1), explanation: "100%\n"),
            .guardian(process, socket: "g"), .hold(name: "db", hook: "10-db", holder: process),
            .client(hold: "db", process),
            .released(hold: "db"), .lost(hold: "db", time: WallTime(microseconds: 7), reason: "x"),
            .lost(hold: "db", time: nil, reason: ""), .fault("f"),
        ] as [RecordEntry])
    func `Every entry comes back from its line`(entry: RecordEntry) {
        #expect(entry.line.filter { $0 == 0x0a }.count == 1)
        #expect(RecordEntry(line: entry.line.dropLast()) == entry)
    }

    @Test func `A record torn at any byte keeps what was written before`() {
        let entries: [RecordEntry] = [
            .cycle(id: "id", bootID: "boot"), Self.start("/1"), .process(Self.process), Self.end(0),
            Self.start(Self.hostile),
        ]
        let bytes = entries.flatMap(\.line)
        for length in 0...bytes.count {
            let whole = bytes.prefix(length).filter { $0 == 0x0a }.count
            let record = CycleRecord(parsing: Array(bytes.prefix(length)))
            #expect((record == nil) == (whole == 0))
            #expect(record?.hooksToThaw.count ?? 0 == (whole >= 5 ? 2 : whole >= 2 ? 1 : 0))
        }
    }

    @Test func `What was frozen and not thawed has to be thawed`() throws {
        let record = try record(
            Self.start("/1", .prepare), Self.start("/1"), Self.end(0), Self.start("/2"), Self.end(3), Self.start("/3"),
            Self.start("/3", .thaw), Self.end(1), Self.start("/2", .thaw))
        #expect(record.hooksToThaw.map(\.path) == ["/1", "/2"])
    }

    @Test func `A cycle that waits is frozen and not being thawed`() throws {
        #expect(try record(.moment(.frozen, Self.at(1))).isFrozen)
        #expect(!(try record(.moment(.frozen, Self.at(1))).isBeingThawed))
        #expect(try record(.moment(.frozen, Self.at(1)), .moment(.expired, Self.at(2))).isBeingThawed)
        #expect(try record(.moment(.frozen, Self.at(1)), .moment(.thawing, Self.at(2))).isBeingThawed)
    }

    @Test func `The parts of a window add up`() throws {
        let summary = CycleSummary(
            of: try record(
                .moment(.begun, Self.at(1)), .moment(.windowOpened, Self.at(3)), Self.start("/1"), Self.end(0),
                .moment(.frozen, Self.at(4)), .moment(.thawing, Self.at(14)), .moment(.thawed, Self.at(16))))
        #expect(summary.prepareSeconds == 2)
        #expect(summary.freezeSeconds == 1)
        #expect(summary.holdSeconds == 10)
        #expect(summary.thawSeconds == 2)
        #expect(summary.windowSeconds == 13)
        #expect(summary.verdict == "application-consistent")
    }

    @Test func `A guard that fired ends the window for the durations too`() throws {
        let summary = CycleSummary(
            of: try record(
                .moment(.windowOpened, Self.at(1)), Self.start("/1"), Self.end(0), .moment(.frozen, Self.at(2)),
                .moment(.expired, Self.at(5)), .moment(.thawed, Self.at(6)), .moment(.thawing, Self.at(60)),
                .moment(.thawed, Self.at(61))))
        #expect(summary.holdSeconds == 3)
        #expect(summary.windowSeconds == 5)
        #expect(summary.reasons.count == 1)
        #expect(summary.verdict == "crash-consistent")
    }

    @Test func `A lost session is a reason, a released one is none`() throws {
        let hold = RecordEntry.hold(name: "db", hook: "1", holder: Self.process)
        let good = try record(Self.start("/1"), Self.end(0), hold, .released(hold: "db"))
        #expect(Verdict(on: good).text == "application-consistent")
        let bad = try record(Self.start("/1"), Self.end(0), hold, .lost(hold: "db", time: nil, reason: "killed"))
        #expect(Verdict(on: bad).text == "crash-consistent: hold db lost at an unknown moment: killed")
        #expect(bad.openHolds.isEmpty)
    }

    @Test func `Guarantees are ordered from the weakest`() {
        #expect(Guarantee.allCases.sorted() == [.unsupported, .crashConsistent, .nativeCopy, .applicationConsistent])
    }

    @Test func `The history keeps its limit, and a torn line spoils no other`() throws {
        let directory = try TemporaryDirectory()
        let state = StateDirectory(path: FilePath(directory.path))
        let history = History(directory: state, limit: 5)
        var summary = CycleSummary(of: try record(Self.start("/1"), Self.end(0)))
        for index in 0..<25 {
            summary.id = "cycle \(index)"
            try history.add(summary)
            #expect(history.last == summary)
        }
        let lines = (state.read("history.jsonl") ?? []).split(separator: 0x0a)
        #expect((5...10).contains(lines.count))
        try state.append(Array("{\"id\":\"to".utf8), to: "history.jsonl")
        #expect(history.last == summary)
        summary.id = "after"
        try history.add(summary)
        #expect(history.last?.id == "after")
    }

    @Test func `Events that had to wait come back with their times`() throws {
        let directory = try TemporaryDirectory()
        let run = try RunDirectory(path: FilePath("\(directory.path)/run"))
        var event = Event(.error, .windowExpired, "a\tb % c", [(.hook, "10-db"), (.status, "3")])
        event.time = WallTime(microseconds: 123_456_789)
        DeferredEvents(in: run).write([event, Event(.info, nil, "second")])
        let events = DeferredEvents.take(from: run)
        #expect(events.map(\.text) == ["a\tb % c", "second"])
        #expect(events.first?.time == event.time)
        #expect(events.first?.messageID == .windowExpired)
        #expect(events.first?.fields.map(\.value) == ["10-db", "3"])
        #expect(DeferredEvents.take(from: run).isEmpty)
    }

    @Test func `A marker of another boot is where this machine comes from`() throws {
        let directory = try TemporaryDirectory()
        let state = StateDirectory(path: FilePath(directory.path))
        let bytes = [RecordEntry.cycle(id: "first", bootID: "one"), Self.start("/1"), Self.end(0)].flatMap(\.line)
        let first = ImageMarker(directory: state, bootID: "one")
        try first.write(bytes)
        #expect(first.origin == nil)
        let second = ImageMarker(directory: state, bootID: "two")
        #expect(second.origin?.id == "first")
        second.remove()
        #expect(second.origin?.id == "first", "another boot's marker is not ours to remove")
        try second.write([RecordEntry.cycle(id: "second", bootID: "two")].flatMap(\.line))
        #expect(second.origin?.id == "first")
        second.remove()
        #expect(second.origin?.id == "first")
    }
}
