// SPDX-License-Identifier: Apache-2.0

import Glibc
import TestSupport
import Testing

/// Hooks that declare it are called with `prepare` before any hook is called with `freeze`.
@Suite struct PrepareTests {
    private func sandbox(_ configuration: String = "") throws -> Sandbox {
        let sandbox = try Sandbox()
        try sandbox.configure("kill-grace = 200ms\n\(configuration)")
        try sandbox.addTracingHook("10-a")
        return sandbox
    }

    @Test func `Every prepare comes before the first freeze, and only where it is declared`() throws {
        let sandbox = try sandbox()
        for name in ["20-b", "30-c"] {
            let header = "#!/bin/sh\n# fsfreeze-hook: prepare = yes\n"
            try sandbox.addHook(name, header + sandbox.tracing())
        }
        try sandbox.expectFreeze()
        let freezes = ["10-a freeze freeze", "20-b freeze freeze", "30-c freeze freeze"]
        #expect(sandbox.trace == ["20-b prepare freeze", "30-c prepare freeze"] + freezes)
        try sandbox.expectThaw()
        #expect(sandbox.verdict == "application-consistent")
        #expect(sandbox.messages.last { $0.hasPrefix("thawed: ") }?.hasPrefix("thawed: 3 hooks, 0 failed") == true)
    }

    @Test(arguments: ["continue", "abort"]) func `A failed prepare is a failed hook`(policy: String) throws {
        let sandbox = try sandbox("on-failure = \(policy)\n[hook b]\nprepare = yes")
        try sandbox.addTracingHook("20-b", then: "[ $1 != prepare ]")
        let result = try sandbox.freeze()
        if policy == "abort" {
            #expect(result.status == 1)
            #expect(result.stderr.contains("20-b: prepare finished with status=1"))
            #expect(sandbox.trace == ["20-b prepare freeze"], "nothing is frozen yet")
        } else {
            #expect(result.status == 0)
            try sandbox.expectThaw()
            #expect(sandbox.verdict == "crash-consistent: 20-b prepare finished with status=1")
        }
        sandbox.expectNothingLeft()
    }

    @Test func `A prepare that hangs leaves the freeze its time`() throws {
        let sandbox = try sandbox("freeze-timeout = 1s\n[hook b]\nprepare = yes")
        try sandbox.addTracingHook("20-b", then: "[ $1 != prepare ] || exec sleep 1000")
        let result = try sandbox.freeze()
        #expect(result.status == 0)
        #expect(result.seconds < 5)
        #expect(sandbox.trace == ["20-b prepare freeze", "10-a freeze freeze", "20-b freeze freeze"])
        try sandbox.expectThaw()
    }

    @Test func `The window begins after it`() throws {
        let sandbox = try sandbox("[hook b]\nprepare = yes")
        try sandbox.addTracingHook("20-b", then: "[ $1 != prepare ] || sleep 0.3")
        try sandbox.expectFreeze()
        try sandbox.expectThaw()
        let last = try #require(try sandbox.statusObject()["last"] as? [String: Any])
        let prepare = try #require(last["prepare_seconds"] as? Double)
        let freeze = try #require(last["freeze_seconds"] as? Double)
        #expect(prepare >= 0.3)
        #expect(freeze < prepare)
        // The parts add up to the window; on a busy machine the hold between two calls may be long.
        let parts = try ["freeze", "hold", "thaw"].map { try #require(last["\($0)_seconds"] as? Double) }
        #expect(abs(try #require(last["window_seconds"] as? Double) - parts.reduce(0, +)) < 0.001)
        let hooks = try #require(last["hooks"] as? [[String: Any]])
        #expect(hooks.compactMap { $0["action"] as? String } == ["prepare", "freeze", "freeze", "thaw", "thaw"])
    }

    @Test func `The configuration decides over the head of the hook`() throws {
        let sandbox = try sandbox("[hook b]\nprepare = no")
        let header = "#!/bin/sh\n# fsfreeze-hook: prepare = yes\n"
        try sandbox.addHook("20-b", header + sandbox.tracing())
        try sandbox.expectFreeze()
        try sandbox.expectThaw()
        #expect(!sandbox.trace.contains { $0.contains("prepare") })
    }

    @Test func `One that has nothing to prepare is no failure`() throws {
        let sandbox = try sandbox("on-failure = abort\n[hook b]\nprepare = yes")
        try sandbox.addTracingHook("20-b", then: "[ $1 != prepare ] || exit 77")
        try sandbox.expectFreeze()
        #expect(sandbox.trace == ["20-b prepare freeze", "10-a freeze freeze", "20-b freeze freeze"])
        try sandbox.expectThaw()
        #expect(sandbox.verdict == "application-consistent")
    }

    @Test func `A freeze that is killed in it has frozen nothing`() throws {
        let sandbox = try sandbox("[hook b]\nprepare = yes")
        try sandbox.addGatedHook("20-b", action: "prepare")
        let freeze = try sandbox.start(["freeze"])
        #expect(eventually { sandbox.trace == ["20-b prepare freeze"] })
        freeze.kill(SIGKILL)
        _ = try freeze.wait()
        #expect(eventually { sandbox.verdict != nil })
        #expect(sandbox.verdict?.contains("20-b prepare was cut off") == true)
        sandbox.expectNothingLeft()
        #expect(sandbox.trace == ["20-b prepare freeze"])
    }
}
