// SPDX-License-Identifier: Apache-2.0

import Glibc
import TestSupport
import Testing

/// Kills of each process at each moment: after a thaw nothing is left, everything is thawed, and the verdict has the
/// reason.
@Suite struct KillTests {
    enum Victim: String, CaseIterable {
        case runner, guardian = "guard", holder, client
    }

    enum Moment: String, CaseIterable {
        case freezing, frozen, thawing, expiring
    }

    struct Kill: Sendable, CustomTestStringConvertible {
        var victim: Victim
        var moment: Moment
        /// The verdict, or its beginning.
        var verdict: String
        var testDescription: String { "\(victim) while \(moment)" }
    }

    private static let lost = "hold db lost at "
    private static let ended = "the guard ended the window at "

    static let kills = [
        Kill(victim: .runner, moment: .freezing, verdict: "20-gate was cut off"),
        Kill(victim: .guardian, moment: .freezing, verdict: "application-consistent"),
        Kill(victim: .holder, moment: .freezing, verdict: lost),
        Kill(victim: .client, moment: .freezing, verdict: lost),
        Kill(victim: .guardian, moment: .frozen, verdict: "application-consistent"),
        Kill(victim: .holder, moment: .frozen, verdict: lost),
        Kill(victim: .client, moment: .frozen, verdict: lost),
        Kill(victim: .runner, moment: .thawing, verdict: "20-gate thaw was cut off"),
        Kill(victim: .guardian, moment: .thawing, verdict: "application-consistent"),
        Kill(victim: .holder, moment: .thawing, verdict: lost),
        Kill(victim: .client, moment: .thawing, verdict: lost),
        Kill(victim: .guardian, moment: .expiring, verdict: ended),
        Kill(victim: .holder, moment: .expiring, verdict: ended),
        Kill(victim: .client, moment: .expiring, verdict: ended),
    ]

    /// A session and a hook that waits in the middle of the moment; returns the call that waits, if one does.
    private func enter(_ moment: Moment, _ sandbox: Sandbox) throws -> ChildProcess? {
        try sandbox.configure("kill-grace = 200ms\nhold-limit = \(moment == .expiring ? "100ms" : "5min")")
        try sandbox.addHoldingHook("10-db", session: "db")
        try sandbox.addGatedHook("20-gate", action: moment == .freezing ? "freeze" : "thaw")
        if moment == .freezing {
            let freeze = try sandbox.start(["freeze"])
            #expect(eventually { sandbox.trace.last == "20-gate freeze freeze" })
            return freeze
        }
        try sandbox.expectFreeze()
        let thaw = moment == .thawing ? try sandbox.start(["thaw"]) : nil
        if moment != .frozen { #expect(eventually { sandbox.trace.last?.hasPrefix("20-gate thaw ") == true }) }
        return thaw
    }

    @Test(arguments: kills) func `After a thaw nothing is left and the verdict names it`(_ kill: Kill) throws {
        let sandbox = try Sandbox()
        let call = try enter(kill.moment, sandbox)
        #expect(sandbox.isLocked("db"))
        let victim: pid_t? =
            switch kill.victim {
            case .runner: call?.pid
            case .guardian: sandbox.parts("guard").first
            case .holder: sandbox.parts("holder").first
            case .client: sandbox.clients.first
            }
        if kill.victim == .runner {
            call?.kill(SIGKILL)
            #expect(try call?.wait().signal == SIGKILL)
        } else {
            sandbox.destroy(try #require(victim))
        }
        try sandbox.openGate()
        if kill.victim != .runner, let call { #expect(try call.wait().status == 0) }
        try sandbox.expectThaw()

        #expect(!sandbox.isLocked("db"))
        for hook in ["10-db", "20-gate"] {
            #expect(sandbox.trace.last { $0.hasPrefix(hook) }?.hasPrefix("\(hook) thaw ") == true, "\(sandbox.trace)")
        }
        let verdict = try #require(sandbox.verdict)
        #expect(verdict.contains(kill.verdict), "\(verdict)")
        #expect(verdict.hasPrefix("crash-consistent: ") || kill.verdict == "application-consistent")
        if kill.victim == .guardian && kill.moment != .thawing && kill.moment != .expiring {
            #expect(sandbox.messages.contains("the guard had been killed before the thaw"))
        }
        sandbox.expectNothingLeft()
    }

    @Test(arguments: ["thaw", "recover", "freeze"], [Moment.freezing, .thawing])
    func `With its guard killed too, a run is ended by the next one`(next: String, moment: Moment) throws {
        let sandbox = try Sandbox()
        let call = try #require(try enter(moment, sandbox))
        // The guard is killed first: it would thaw at the death of the freeze.
        sandbox.destroy(try #require(sandbox.parts("guard").first))
        call.kill(SIGKILL)
        _ = try call.wait()
        let cycle = try #require(sandbox.cycle)
        try sandbox.openGate()
        try sandbox.expectSilent(next)
        #expect(sandbox.verdict?.hasPrefix("crash-consistent: ") == true)
        #expect(sandbox.messages.contains { $0.hasPrefix("thawed: ") && $0.contains("(cycle \(cycle)): crash-") })
        if next == "freeze" {
            #expect(sandbox.trace.suffix(2) == ["10-db freeze freeze", "20-gate freeze freeze"])
            try sandbox.expectThaw()
            #expect(sandbox.verdict == "application-consistent")
        }
        sandbox.expectNothingLeft()
    }

    @Test func `Everything of ours is killed at once`() throws {
        let sandbox = try Sandbox()
        _ = try enter(.frozen, sandbox)
        for pid in sandbox.processes() { kill(pid, SIGKILL) }
        try sandbox.openGate()
        try sandbox.expectThaw()
        #expect(sandbox.verdict?.contains(Self.lost) == true)
        #expect(sandbox.messages.contains("the guard had been killed before the thaw"))
        sandbox.expectNothingLeft()
    }

    @Test func `A client that heeds nothing does not outlive its killed holder`() throws {
        let sandbox = try Sandbox()
        try sandbox.configure("kill-grace = 100ms")
        let client =
            "trap '' TERM HUP; exec 9>>\(sandbox.path)/lock-db; flock 9; echo ready; while :; do sleep 0.05; done"
        try Files.write(client, to: "\(sandbox.path)/client")
        try sandbox.addTracingHook(
            "10-db",
            then: """
                [ $1 = thaw ] || exec \(sandbox.program) hold db --run-dir "$FSFREEZE_RUN_DIR" --ready ready \
                    -- sh \(sandbox.path)/client
                """)
        try sandbox.expectFreeze()
        sandbox.destroy(try #require(sandbox.parts("holder").first))
        try sandbox.expectThaw()
        #expect(sandbox.verdict?.contains(Self.lost) == true)
        sandbox.expectNothingLeft()
    }

    @Test(arguments: ["hold", "runner"])
    func `A session that is not ready yet ends with whoever waits for it`(victim: String) throws {
        let sandbox = try Sandbox()
        try sandbox.configure("kill-grace = 200ms")
        try sandbox.addTracingHook(
            "10-db",
            then: """
                [ $1 = thaw ] || \(sandbox.program) hold db --run-dir "$FSFREEZE_RUN_DIR" --ready never \
                    -- sh -c 'echo started; exec sleep 1000'
                """)
        let freeze = try sandbox.start(["freeze"])
        #expect(eventually { !sandbox.clients.isEmpty })
        let hold = try #require(sandbox.processes().first { Processes.commandLine(of: $0).contains(" hold db ") })
        sandbox.destroy(victim == "hold" ? hold : freeze.pid)
        #expect(try freeze.wait().status == (victim == "hold" ? 0 : nil))
        // The guard thaws after a killed freeze; otherwise the hook has failed and the test thaws.
        if victim == "hold" { try sandbox.expectThaw() }
        #expect(eventually { sandbox.verdict?.hasPrefix("crash-consistent: 10-db ") == true })
        sandbox.expectNothingLeft()
    }

    @Test func `What a killed reader of leftovers had heard is named as lost`() throws {
        let sandbox = try Sandbox()
        try sandbox.addTracingHook("10-a", then: "[ $1 = thaw ] || { echo lost; exec sleep 1000; } &")
        try sandbox.expectFreeze()
        sandbox.destroy(try #require(sandbox.parts("drain-output").first))
        try sandbox.expectThaw()
        #expect(sandbox.verdict?.contains("output of what hooks left running is lost") == true)
        #expect(sandbox.runFiles == [])
    }
}
