// SPDX-License-Identifier: Apache-2.0

import Glibc
import TestSupport
import Testing

/// A freeze that ends too late, because it was stopped or waited in the kernel: nothing may say that it holds
/// applications.
@Suite struct LateFreezeTests {
    /// Starts a freeze whose second hook waits for the gate, and stops the freeze's process there.
    private func stoppedFreeze(_ sandbox: Sandbox, at second: String = "20-gate") throws -> ChildProcess {
        try sandbox.addTracingHook("10-a")
        try sandbox.addGatedHook(second, action: "freeze")
        let freeze = try sandbox.start(["freeze"])
        #expect(eventually { sandbox.trace.count == 2 })
        freeze.kill(SIGSTOP)
        #expect(eventually { Processes.state(of: freeze.pid) == "T" })
        return freeze
    }

    private func expectNoGoodImage(_ sandbox: Sandbox) throws {
        #expect(!Files.exists("\(sandbox.stateDirectory)/image"))
        let last = try #require(try sandbox.statusObject()["last"] as? [String: Any])
        #expect(last["verdict"] as? String == "crash-consistent")
        sandbox.expectNothingLeft()
    }

    @Test func `Over freeze-timeout it is rolled back`() throws {
        let sandbox = try Sandbox()
        try sandbox.configure("freeze-timeout = 2s\nkill-grace = 200ms")
        let freeze = try stoppedFreeze(sandbox)
        try sandbox.openGate()
        usleep(2_100_000)
        freeze.kill(SIGCONT)
        let result = try freeze.wait()
        #expect(result.status == 1)
        #expect(result.stderr.contains("longer than freeze-timeout (2s)"), "\(result.stderr)")
        #expect(result.stderr.contains("rolled back, nothing is frozen"), "\(result.stderr)")
        #expect(sandbox.trace.suffix(2) == ["20-gate thaw rollback", "10-a thaw rollback"])
        try expectNoGoodImage(sandbox)
    }

    @Test func `After the guard has thawed it ends with 1, and goes on with no hook`() throws {
        let sandbox = try Sandbox()
        try sandbox.configure(
            "freeze-timeout = 1s\nhold-limit = 100ms\nthaw-timeout = 500ms\nhook-timeout = 30s\nkill-grace = 200ms")
        try sandbox.addTracingHook("30-never")
        let freeze = try stoppedFreeze(sandbox)
        #expect(
            eventually(within: 20) { sandbox.trace.contains("10-a thaw expired") && sandbox.parts("guard").isEmpty },
            "\(sandbox.trace)")
        try sandbox.openGate()
        freeze.kill(SIGCONT)
        let result = try freeze.wait()
        #expect(result.status == 1)
        #expect(result.stderr.contains("the guard had ended the window before the freeze ended"), "\(result.stderr)")
        #expect(!sandbox.trace.contains { $0.hasPrefix("30-never") })
        #expect(sandbox.trace.filter { $0.hasPrefix("10-a thaw") } == ["10-a thaw expired"], "one thaw is enough")
        try expectNoGoodImage(sandbox)
    }

    /// A write to the log behind the last hook waits in the kernel: strace holds it up.
    @Test func `A freeze that waits for its log until the guard has thawed ends with 1`() throws {
        let sandbox = try Sandbox()
        try sandbox.configure("freeze-timeout = 1s\nhold-limit = 100ms\nthaw-timeout = 500ms\nkill-grace = 200ms")
        try sandbox.addTracingHook("10-a")
        let trace = try Tools.command("strace", package: "strace")
        // The lines before it: the guard, the hook's start, its end.
        let freeze = try sandbox.start(
            ["freeze"],
            through: [
                trace, "--quiet=all", "-o", "/dev/null", "-e", "trace=write", "-P", sandbox.logFile, "-e",
                "inject=write:delay_enter=2500000:when=4",
            ])
        let result = try freeze.wait()
        #expect(result.status == 1, "\(sandbox.log)")
        #expect(sandbox.trace.contains("10-a thaw expired") || sandbox.trace.contains("10-a thaw rollback"))
        try expectNoGoodImage(sandbox)
    }

    @Test func `A thaw that came meanwhile is left its cycle`() throws {
        let sandbox = try Sandbox()
        try sandbox.configure("thaw-timeout = 300ms\nkill-grace = 200ms")
        let freeze = try stoppedFreeze(sandbox)
        // The record goes, as with a thaw that does not wait for a process which is stopped.
        #expect(unlink("\(sandbox.runDirectory)/cycle") == 0)
        try sandbox.openGate()
        usleep(150_000)
        freeze.kill(SIGCONT)
        let result = try freeze.wait()
        #expect(result.status == 1)
        #expect(result.stderr.contains("a thaw had ended the cycle before the freeze ended"), "\(result.stderr)")
        #expect(sandbox.trace.suffix(2) == ["20-gate thaw rollback", "10-a thaw rollback"])
        #expect(!Files.exists("\(sandbox.stateDirectory)/image"))
        #expect(sandbox.isQuiet())
    }
}
