// SPDX-License-Identifier: Apache-2.0

import TestSupport
import Testing

/// The time limits of hooks and of the whole.
@Suite struct BudgetTests {
    @Test func `The configuration comes before a hook's header, and that before the general limit`() throws {
        let sandbox = try Sandbox()
        try sandbox.configure("hook-timeout = 9s\nfreeze-timeout = 60s\n[hook configured]\ntimeout = 7s")
        let look = "echo $FSFREEZE_TIMEOUT"
        try sandbox.addHook("10-general", look)
        try sandbox.addHook("20-header", "#!/bin/sh\n# fsfreeze-hook: timeout = 8s\n\(look)\n")
        try sandbox.addHook("30-configured.sh", "#!/bin/sh\n# fsfreeze-hook: timeout = 8s\n\(look)\n")
        try sandbox.expectFreeze()
        let limits = ["10-general", "20-header", "30-configured.sh"].compactMap { sandbox.output(of: $0).first }
        #expect(limits == ["9.000", "8.000", "7.000"])
    }

    @Test func `The time for the freeze ends it under continue, and the rest is told`() throws {
        let sandbox = try Sandbox()
        try sandbox.configure("freeze-timeout = 1s\nkill-grace = 100ms")
        for name in ["10-a", "20-b", "30-c", "40-d"] {
            try sandbox.addTracingHook(name, then: "[ $1 = thaw ] || exec sleep 0.4")
        }
        let result = try sandbox.freeze()
        expectSilentSuccess(result)
        #expect(result.seconds < 3)
        #expect(sandbox.trace == ["10-a freeze freeze", "20-b freeze freeze"])
        #expect(sandbox.messages.contains { $0.contains("30-c refused: ") && $0.contains("1s") })
        #expect(sandbox.messages.contains { $0.contains("40-d refused: ") })
        #expect(sandbox.frozenSummary == "frozen: 4 hooks, 3 failed")
        try sandbox.expectThaw()
        #expect(sandbox.trace.suffix(2) == ["20-b thaw thaw", "10-a thaw thaw"])
    }

    @Test func `The time for the freeze ends it under abort, with time left to roll back`() throws {
        let sandbox = try Sandbox()
        try sandbox.configure("freeze-timeout = 2s\nkill-grace = 100ms\non-failure = abort")
        try sandbox.addTracingHook("10-a")
        try sandbox.addTracingHook("20-b", then: "[ $1 = thaw ] || exec sleep 1000")
        let result = try sandbox.freeze()
        #expect(result.status == 1)
        #expect(result.stderr.contains("20-b"))
        #expect(result.seconds < 4)
        #expect(sandbox.trace.suffix(2) == ["20-b thaw rollback", "10-a thaw rollback"])
    }

    @Test func `A hanging rollback is limited too`() throws {
        let sandbox = try Sandbox()
        try sandbox.configure(
            "freeze-timeout = 2s\nhook-timeout = 500ms\nkill-grace = 100ms\nhold-limit = 0\non-failure = abort")
        try sandbox.addTracingHook("10-a", then: "[ $1 = freeze ] || exec sleep 1000")
        try sandbox.addTracingHook("20-b", then: "exit 3")
        let result = try sandbox.run(["freeze"], within: 20)
        #expect(result.status == 1)
        #expect(sandbox.ending(of: "10-a", "thaw")?.contains("time limit of ") == true)
        #expect(sandbox.isQuiet())
    }

    @Test func `All thaw hooks are called although the time for the thaw is over`() throws {
        let sandbox = try Sandbox()
        try sandbox.configure("thaw-timeout = 100ms\nhook-timeout = 300ms\nkill-grace = 100ms\nhold-limit = 0")
        try sandbox.addTracingHook("10-a")
        try sandbox.addTracingHook("20-b")
        try sandbox.addTracingHook("30-c", then: "[ $1 = freeze ] || exec sleep 1000")
        try sandbox.expectFreeze()
        expectSilentSuccess(try sandbox.run(["thaw"], within: 20))
        #expect(sandbox.trace.suffix(3) == ["30-c thaw thaw", "20-b thaw thaw", "10-a thaw thaw"])
        #expect(sandbox.messages.contains { $0.hasPrefix("not thawed: 3 hooks, 1 failed") }, "\(sandbox.log)")
    }

    @Test func `What a freeze takes is told`() throws {
        let sandbox = try Sandbox()
        try sandbox.addHook("10-a", "sleep 0.2")
        try sandbox.expectFreeze()
        let summary = try #require(sandbox.lastMessage("frozen: 1 hook, 0 failed, in "))
        let seconds = try #require(Double(summary.split(separator: " ")[6]))
        #expect(seconds >= 0.2 && seconds < 5)
    }
}
