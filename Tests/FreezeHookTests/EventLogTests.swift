// SPDX-License-Identifier: Apache-2.0

import SystemPackage
import TestSupport
import Testing

@testable import FreezeHook
@testable import FreezeHookBase

/// Events that a thaw holds back until its hooks have run.
@Suite struct EventLogTests {
    private let directory: TemporaryDirectory
    private let run: RunDirectory
    private let log: EventLog

    init() throws {
        directory = try TemporaryDirectory()
        run = try directory.makeRunDirectory()
        DeferredEvents(in: run).write([Event(.info, .hookStarted, "waited already")])
        var settings = Settings()
        settings.journal = false
        settings.logFile = directory.file("log")
        log = EventLog(
            heldBackIn: run, settings: settings, locations: Locations(calledPath: "/x"), cycle: nil, observer: nil)
    }

    private var lines: [String] { HookLog(Files.text(of: "\(directory.path)/log")).messages }

    @Test func `They are written in the end, behind what waited already`() {
        log.write([Event(.info, .hookStarted, "first"), Event(.info, nil, "second")])
        #expect(!Files.exists("\(directory.path)/log"), "a log on a frozen filesystem blocks who opens it")
        log.takeOver(from: run)
        #expect(DeferredEvents.waiting(in: run).isEmpty)
        log.write(Event(.notice, .thawed, "third"))
        log.writeOut()
        #expect(lines == ["waited already", "first", "second", "third"])
        log.write(Event(.notice, .thawed, "fourth"))
        #expect(lines.last == "fourth")
    }

    @Test func `Those of a thaw that is killed wait for the next one`() {
        log.write(Event(.info, .hookStarted, "first"))
        #expect(DeferredEvents.waiting(in: run).map(\.text) == ["waited already", "first"])
    }

    @Test func `Lines of output that are too many are counted, and nothing else is lost`() {
        let line = Event(.info, nil, String(repeating: "x", count: 1 << 20))
        for _ in 0..<11 { log.write(line) }
        log.write(Event(.error, .hookFailed, "failed"))
        log.takeOver(from: run)
        log.writeOut()
        #expect(lines.count == 1 + 8 + 2)
        #expect(
            lines.suffix(2) == ["failed", "3 lines of output were dropped while the log waited for the thaw"])
    }
}
