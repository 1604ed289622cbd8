// SPDX-License-Identifier: Apache-2.0

import Glibc
import TestSupport
import Testing

/// A program that gets a signal to stop.
@Suite struct StopTests {
    /// Two hooks, the second of which hangs when it is called with the action.
    private func sandbox(hangingAt action: String) throws -> Sandbox {
        let sandbox = try Sandbox()
        try sandbox.configure("kill-grace = 200ms")
        try sandbox.addTracingHook("10-a")
        try sandbox.addTracingHook("20-b", then: "[ $1 != \(action) ] || exec sleep 1000")
        try sandbox.addTracingHook("30-c")
        return sandbox
    }

    @Test(arguments: [(SIGTERM, "SIGTERM"), (SIGINT, "SIGINT"), (SIGHUP, "SIGHUP"), (SIGQUIT, "SIGQUIT")])
    func `A freeze is rolled back and says so`(signal: Int32, name: String) throws {
        let sandbox = try sandbox(hangingAt: "freeze")
        let freeze = try sandbox.start(["freeze"])
        #expect(eventually { sandbox.trace.count == 2 })
        freeze.kill(signal)
        let result = try freeze.wait(within: 20)
        #expect(result.status == 1)
        #expect(result.stderr.contains(name))
        #expect(result.stderr.count { $0 == "\n" } == 1)
        #expect(
            sandbox.trace == ["10-a freeze freeze", "20-b freeze freeze", "20-b thaw rollback", "10-a thaw rollback"])
        #expect(sandbox.messages.contains { $0.hasPrefix("rolling back: ") && $0.contains(name) })
        #expect(sandbox.messages.contains { $0.hasPrefix("rolled back: ") })
        #expect(sandbox.isQuiet())
        try sandbox.expectThaw()
        #expect(sandbox.cycle("thawed: ") == nil)
    }

    @Test func `A stop of the whole unit hits the hooks too, and it is rolled back`() throws {
        let sandbox = try sandbox(hangingAt: "freeze")
        let freeze = try sandbox.start(["freeze"])
        #expect(eventually { sandbox.trace.count == 2 })
        for pid in sandbox.processes() { kill(pid, SIGTERM) }
        #expect(try freeze.wait(within: 20).status == 1)
        #expect(sandbox.trace.suffix(2) == ["20-b thaw rollback", "10-a thaw rollback"])
    }

    @Test func `Further signals do not stop a rollback`() throws {
        let sandbox = try Sandbox()
        try sandbox.addTracingHook("10-a", then: "[ $1 = freeze ] || sleep 0.3")
        try sandbox.addTracingHook("20-b", then: "[ $1 = freeze ] && exec sleep 1000; sleep 0.3")
        let freeze = try sandbox.start(["freeze"])
        #expect(eventually { sandbox.trace.count == 2 })
        freeze.kill(SIGTERM)
        #expect(eventually { sandbox.trace.count == 3 })
        freeze.kill(SIGTERM)
        freeze.kill(SIGINT)
        #expect(try freeze.wait(within: 20).status == 1)
        #expect(sandbox.trace.suffix(2) == ["20-b thaw rollback", "10-a thaw rollback"])
        #expect(sandbox.messages.contains { $0.hasPrefix("rolled back: 2 hooks, 0 failed") })
    }

    @Test(arguments: [SIGTERM, SIGINT, SIGHUP])
    func `A thaw goes on`(signal: Int32) throws {
        let sandbox = try Sandbox()
        try sandbox.addTracingHook("10-a")
        try sandbox.addTracingHook("20-b", then: "[ $1 = freeze ] || sleep 0.3; echo whole")
        try sandbox.expectFreeze()
        let thaw = try sandbox.start(["thaw"])
        #expect(eventually { sandbox.trace.count == 3 })
        thaw.kill(signal)
        expectSilentSuccess(try thaw.wait(within: 20))
        #expect(sandbox.trace.suffix(2) == ["20-b thaw thaw", "10-a thaw thaw"])
        #expect(sandbox.output(of: "20-b") == ["whole", "whole"])
        #expect(sandbox.thawedSummary == "thawed: 2 hooks, 0 failed")
    }

    @Test(arguments: (0..<10).map { _ in UInt64.random(in: 0..<1_000_000) })
    func `At any moment a freeze is either rolled back whole or done`(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        let sandbox = try Sandbox()
        for index in 1...4 { try sandbox.addTracingHook("\(index)-hook", then: "sleep 0.01") }
        let freeze = try sandbox.start(["freeze"])
        usleep(.random(in: 0...150_000, using: &random))
        freeze.kill(SIGTERM)
        let result = try freeze.wait(within: 20)
        let frozen = sandbox.trace.filter { $0.hasSuffix("freeze freeze") }.map { $0.prefix(6) }
        let thawed = sandbox.trace.filter { $0.hasSuffix("thaw rollback") }.map { $0.prefix(6) }
        if result.status == 0 {
            #expect(frozen.count == 4 && thawed.isEmpty)
        } else if result.status == 1 {
            // A hook that was ended before it noted its call is thawed all the same.
            #expect(Set(thawed).isSuperset(of: frozen))
            #expect(thawed == thawed.sorted { $0 > $1 })
            #expect(sandbox.isQuiet())
        } else {
            #expect(result.signal == SIGTERM && frozen.isEmpty, "killed before it could do anything")
        }
        #expect(sandbox.strays() == [])
    }
}
