// SPDX-License-Identifier: Apache-2.0

import Glibc
import TestSupport
import Testing

/// Processes of the program that somebody has stopped (SIGSTOP) in the window.
@Suite struct StoppedTests {
    private func sandbox(_ configuration: String = "hold-limit = 5min") throws -> Sandbox {
        let sandbox = try Sandbox()
        try sandbox.configure("kill-grace = 200ms\n\(configuration)")
        try sandbox.addHoldingHook("10-db", session: "db")
        try sandbox.addTracingHook(
            "20-leftover", then: "[ $1 = thaw ] || { sleep 0.05; echo late; touch $TEST_SANDBOX/said; sleep 0.5; } &")
        return sandbox
    }

    private func stop(_ pids: [pid_t]) throws {
        for pid in pids {
            kill(pid, SIGSTOP)
            try #require(eventually { Processes.state(of: pid) == "T" })
        }
    }

    @Test(arguments: ["guard", "holder", "drain-output"])
    func `A stopped process of the window goes on with the thaw`(part: String) throws {
        let sandbox = try sandbox()
        try sandbox.expectFreeze()
        try #require(eventually { Files.exists("\(sandbox.path)/said") })
        let stopped = sandbox.parts(part)
        try #require(stopped.count == 1)
        try stop(stopped)
        let thaw = try sandbox.run(["thaw"], within: 10)
        expectSilentSuccess(thaw)
        #expect(thaw.seconds < 3, "\(sandbox.log)")
        #expect(sandbox.verdict == "application-consistent")
        #expect(sandbox.messages.contains("20-leftover (left running): late"), "\(sandbox.log)")
        sandbox.expectNothingLeft()
        try sandbox.expectFreeze()
        try sandbox.expectThaw()
        sandbox.expectNothingLeft()
    }

    @Test func `A holder that is stopped before many who wait for it releases its session`() throws {
        let sandbox = try sandbox()
        try sandbox.expectFreeze()
        try stop(sandbox.parts("holder"))
        // listen(2) with a backlog of 16 takes one more.
        for _ in 0..<17 { _ = try Connection(to: "\(sandbox.runDirectory)/hold-db") }
        let thaw = try sandbox.run(["thaw"], within: 20)
        expectSilentSuccess(thaw)
        #expect(sandbox.verdict == "application-consistent", "\(sandbox.log)")
        sandbox.expectNothingLeft()
    }

    @Test func `A guard that is stopped keeps no session from its start`() throws {
        let sandbox = try sandbox()
        let guardian = "fsfreeze-hook guard .*$TEST_SANDBOX.*"
        try sandbox.addTracingHook("05-stop", then: "[ $1 = thaw ] || pkill -STOP -f -x \"\(guardian)\"")
        let freeze = try sandbox.run(["freeze"], within: 20)
        expectSilentSuccess(freeze)
        #expect(freeze.seconds < 4, "\(sandbox.log)")
        #expect(sandbox.isLocked("db"))
        try sandbox.expectThaw()
        #expect(sandbox.verdict == "application-consistent", "\(sandbox.log)")
        sandbox.expectNothingLeft()
    }

    @Test func `A session of a stopped holder without a cycle is released`() throws {
        let sandbox = try Sandbox()
        let hold = ["hold", "db", "--run-dir", sandbox.runDirectory, "--ready", "ready", "--"]
        let client = ["sh", "-c", "echo ready; exec cat"]
        #expect(try sandbox.runCommand([sandbox.program] + hold + client).status == 0)
        try stop(sandbox.parts("holder"))
        let release = [sandbox.program, "release", "db", "--run-dir", sandbox.runDirectory]
        #expect(try sandbox.runCommand(release, within: 10).status == 0)
        sandbox.expectNothingLeft()
    }
}
