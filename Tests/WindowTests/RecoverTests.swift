// SPDX-License-Identifier: Apache-2.0

import Glibc
import TestSupport
import Testing

/// A cycle whose thaw never came is thawed by `recover`, and so by the next freeze.
@Suite struct RecoverTests {
    private func sandbox(_ configuration: String = "") throws -> Sandbox {
        let sandbox = try Sandbox()
        try sandbox.configure("kill-grace = 200ms\n\(configuration)")
        try sandbox.addTracingHook("10-a")
        return sandbox
    }

    @Test func `Recover thaws once, and only when nothing is frozen`() throws {
        let sandbox = try sandbox()
        try sandbox.expectSilent("recover")
        #expect(sandbox.trace == [])
        try sandbox.expectFreeze()
        try Files.write("", to: sandbox.agentState)
        let alone = try sandbox.run(["recover"])
        #expect(alone.status == 0)
        #expect(alone.stderr.contains("is left alone"))
        #expect(sandbox.trace == ["10-a freeze freeze"])
        unlink(sandbox.agentState)
        for _ in 0..<2 { try sandbox.expectSilent("recover") }
        #expect(sandbox.trace == ["10-a freeze freeze", "10-a thaw recover"])
        sandbox.expectNothingLeft()
    }

    @Test(arguments: ["freezing", "frozen"])
    func `What a killed freeze without a guard has left is recovered`(state: String) throws {
        let sandbox = try sandbox("hold-limit = 0")
        try sandbox.addHoldingHook("20-db", session: "db")
        try sandbox.addGatedHook("30-gate", action: "freeze")
        if state == "frozen" { try sandbox.openGate() }
        let freeze = try sandbox.start(["freeze"])
        #expect(eventually { sandbox.trace.last == "30-gate freeze freeze" })
        if state == "freezing" { freeze.kill(SIGKILL) }
        _ = try freeze.wait()
        #expect(sandbox.isLocked("db"))
        let cycle = try #require(sandbox.cycle)
        try sandbox.openGate()
        try sandbox.expectSilent("recover")
        #expect(sandbox.trace.suffix(3) == ["30-gate thaw recover", "20-db thaw recover", "10-a thaw recover"])
        #expect(sandbox.messages.contains { $0.contains("unfinished cycle \(cycle)") })
        let verdict = state == "frozen" ? "application-consistent" : "crash-consistent: 30-gate was cut off"
        #expect(sandbox.verdict?.hasPrefix(verdict) == true, "\(sandbox.verdict ?? "")")
        sandbox.expectNothingLeft()
    }

    @Test func `A killed freeze is recovered although the agent is frozen, for it was not by this cycle`() throws {
        let sandbox = try sandbox("hold-limit = 0")
        try sandbox.addGatedHook("30-gate", action: "freeze")
        let freeze = try sandbox.start(["freeze"])
        #expect(eventually { sandbox.trace.count == 2 })
        freeze.kill(SIGKILL)
        _ = try freeze.wait()
        try sandbox.openGate()
        try Files.write("", to: sandbox.agentState)
        try sandbox.expectSilent("recover")
        #expect(sandbox.trace.suffix(2) == ["30-gate thaw recover", "10-a thaw recover"])
        sandbox.expectNothingLeft()
    }

    @Test func `A freeze is refused while the agent is frozen, and recovers when it is not`() throws {
        let sandbox = try sandbox()
        try sandbox.expectFreeze()
        let lost = try #require(sandbox.cycle)
        try Files.write("", to: sandbox.agentState)
        #expect(try sandbox.freeze().status == 75)
        #expect(sandbox.trace == ["10-a freeze freeze"])
        unlink(sandbox.agentState)
        try sandbox.expectFreeze()
        #expect(sandbox.trace == ["10-a freeze freeze", "10-a thaw recover", "10-a freeze freeze"])
        #expect(sandbox.messages.contains { $0.contains("unfinished cycle \(lost)") })
        try sandbox.expectThaw()
        sandbox.expectNothingLeft()
    }

    @Test func `It tells what the guard has said in the meantime`() throws {
        let sandbox = try sandbox("hold-limit = 80ms")
        try sandbox.expectFreeze()
        #expect(eventually { sandbox.trace.count == 2 && sandbox.processes().isEmpty })
        try sandbox.expectSilent("recover")
        #expect(sandbox.trace == ["10-a freeze freeze", "10-a thaw expired"])
        #expect(sandbox.messages.contains { $0.contains("no thaw came within 80ms") })
        #expect(sandbox.verdict?.contains("the guard ended the window at ") == true)
        sandbox.expectNothingLeft()
    }

    @Test(arguments: 0..<5) func `Many at one moment thaw once`(attempt: Int) throws {
        let sandbox = try sandbox()
        try sandbox.expectFreeze()
        let calls = try (0..<4).map { _ in try sandbox.start(["recover"]) }
        for call in calls { #expect(try call.wait().status == 0) }
        #expect(sandbox.trace == ["10-a freeze freeze", "10-a thaw recover"])
        sandbox.expectNothingLeft()
    }
}
