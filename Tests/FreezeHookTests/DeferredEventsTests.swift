// SPDX-License-Identifier: Apache-2.0

import Glibc
import TestSupport
import Testing

@testable import FreezeHook
@testable import FreezeHookAdmin
@testable import FreezeHookBase
@testable import FreezeHookRecipes

/// Events that wait in the run directory until a thaw logs them.
@Suite struct DeferredEventsTests {
    private func expect(_ found: Event, _ expected: Event, sourceLocation: SourceLocation = #_sourceLocation) {
        #expect(found.time == expected.time, sourceLocation: sourceLocation)
        #expect(found.priority == expected.priority, sourceLocation: sourceLocation)
        #expect(found.messageID == expected.messageID, sourceLocation: sourceLocation)
        #expect(found.text == expected.text, sourceLocation: sourceLocation)
        #expect(found.fields.map(\.field) == expected.fields.map(\.field), sourceLocation: sourceLocation)
        #expect(found.fields.map(\.value) == expected.fields.map(\.value), sourceLocation: sourceLocation)
    }

    private func take(_ run: RunDirectory) -> [Event] {
        defer { DeferredEvents.remove(from: run) }
        return DeferredEvents.waiting(in: run)
    }

    @Test func `Events come back in their order, with their own times, once`() throws {
        let directory = try TemporaryDirectory()
        let run = try directory.makeRunDirectory()
        var first = Event(.error, .hookFailed, "100%\tof a\nb\u{1b} é", [(.hook, "10-a\t%"), (.status, "3")])
        first.time = WallTime(microseconds: 1)
        var second = Event(.info, nil, "")
        second.time = WallTime(microseconds: 1_795_400_387_123_456)
        let third = Event(.notice, .thawed, "third", [(.verdict, "")])
        let sink = DeferredEvents(in: run)
        sink.write([first, second])
        // The guard and its thaw write in turn, each with an object of its own.
        DeferredEvents(in: run).write([third])
        let events = take(run)
        #expect(events.count == 3)
        for (found, expected) in zip(events, [first, second, third]) { expect(found, expected) }
        #expect(take(run).isEmpty)
    }

    @Test func `Each kind of event comes back`() throws {
        let directory = try TemporaryDirectory()
        let run = try directory.makeRunDirectory()
        let fields: [Event.Field] = [.cycle, .hook, .action, .status, .duration, .verdict]
        for priority in [Event.Priority.error, .warning, .notice, .info] {
            for id in MessageID.allCases.map(Optional.some) + [nil] {
                let event = Event(priority, id, "text", fields.map { ($0, $0.rawValue) })
                DeferredEvents(in: run).write([event])
                expect(try #require(take(run).first), event)
            }
        }
    }

    @Test func `Nothing waits where nothing was written`() throws {
        let directory = try TemporaryDirectory()
        let run = try directory.makeRunDirectory()
        #expect(take(run).isEmpty)
        try directory.makeFile("elsewhere", "1\t6\t\tforged\n")
        try directory.makeLink("run/deferred", to: "../elsewhere")
        #expect(take(run).isEmpty)
        DeferredEvents(in: run).write([Event(.info, nil, "x")])
        #expect(Files.text(of: "\(directory.path)/elsewhere") == "1\t6\t\tforged\n")
    }

    @Test func `Torn and foreign lines are passed over`() throws {
        let directory = try TemporaryDirectory()
        let run = try directory.makeRunDirectory()
        let good = "5\t4\t\tgood\tFSFREEZE_HOOK\th\tFSFREEZE_LATER\tx\tFSFREEZE_STATUS\n"
        let bad = "x\t4\t\tbad\n5\t9\t\tbad\n5\t4\t\n\n5\n"
        try Files.write(bad + good + "6\t4\t\ttorn", to: "\(directory.path)/run/deferred")
        let events = take(run)
        #expect(events.map(\.text) == ["good"])
        #expect(events.first?.fields.map(\.value) == ["h"])
    }

    @Test func `Events do not fill the memory that the run directory lies in`() throws {
        let directory = try TemporaryDirectory()
        let run = try directory.makeRunDirectory()
        let sink = DeferredEvents(in: run)
        let event = Event(.info, nil, String(repeating: "x", count: 4000))
        for _ in 0..<40 { sink.write(Array(repeating: event, count: 10)) }
        let size = try #require(Files.bytes(of: "\(directory.path)/run/deferred")).count
        #expect((1 << 20..<1 << 20 + 8192).contains(size))
        #expect(take(run).count == (size + 4000) / 4030)
    }
}
