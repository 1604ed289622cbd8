// SPDX-License-Identifier: Apache-2.0

import TestSupport
import Testing

/// The effect of a failing hook on the freeze and the thaw.
@Suite struct PolicyTests {
    /// Ways for the second of three hooks to fail a freeze, and the words for the host.
    static let failures: [(script: String, words: String)] = [
        ("exit 3", "status=3"),
        ("ulimit -c 0; kill -SEGV $$", "SIGSEGV"),
        ("exec sleep 1000", "time limit of 1s exceeded"),
        ("exec /nonexistent", "status=127"),
    ]

    @Test(arguments: failures, ["on-failure = abort", "[hook b]\nrequired = yes", "[hook 20-b.sh]\nrequired = yes"])
    func `It rolls back what ran, itself included, in reverse`(
        failure: (script: String, words: String), configuration: String
    ) throws {
        let sandbox = try Sandbox()
        try sandbox.configure("kill-grace = 100ms\nhook-timeout = 1s\n\(configuration)")
        try sandbox.addTracingHook("10-a")
        try sandbox.addTracingHook("20-b.sh", then: "[ $1 = thaw ] && exit 0\n\(failure.script)")
        try sandbox.addTracingHook("30-c")
        let result = try sandbox.run(["freeze"], within: 20)
        #expect(result.status == 1)
        #expect(result.stdout == "")
        // The host's administrator sees this one line.
        #expect(result.stderr.hasPrefix("fsfreeze-hook: 20-b.sh: "))
        #expect(result.stderr.contains(failure.words))
        #expect(result.stderr.contains(#/ after [0-9]+\.[0-9]/#))
        #expect(result.stderr.contains("rolled back"))
        #expect(result.stderr.hasSuffix("\n"))
        #expect(result.stderr.count { $0 == "\n" } == 1)
        #expect(
            sandbox.trace == [
                "10-a freeze freeze", "20-b.sh freeze freeze", "20-b.sh thaw rollback", "10-a thaw rollback",
            ])
        let rollingBack = try #require(sandbox.messages.first { $0.contains("rolling back") })
        #expect(rollingBack.contains("20-b.sh") && rollingBack.contains(failure.words))
        #expect(sandbox.messages.contains { $0.hasPrefix("rolled back: 2 hooks, 0 failed") })
        #expect(sandbox.frozenSummary == nil)
        #expect(sandbox.isQuiet())

        // No hook is frozen, and no cycle is kept.
        sandbox.clearTrace()
        try sandbox.expectThaw()
        #expect(sandbox.cycle("thawed: ") == nil)
        #expect(sandbox.trace == ["30-c thaw thaw", "20-b.sh thaw thaw", "10-a thaw thaw"])
    }

    @Test func `A hook that is not required fails nothing beside one that is`() throws {
        let sandbox = try Sandbox()
        try sandbox.configure("[hook c]\nrequired = yes")
        try sandbox.addTracingHook("10-a")
        try sandbox.addTracingHook("20-b", then: "exit 3")
        try sandbox.addTracingHook("30-c")
        try sandbox.expectFreeze()
        #expect(sandbox.frozenSummary == "frozen: 3 hooks, 1 failed")
    }

    @Test func `A required hook that is not executable or not there is no failure`() throws {
        let sandbox = try Sandbox()
        try sandbox.configure("[hook b]\nrequired = yes\n[hook absent]\nrequired = yes")
        try sandbox.addTracingHook("10-a")
        try sandbox.addHook("20-b", "exit 3", mode: 0o644)
        try sandbox.expectFreeze()
        #expect(sandbox.frozenSummary == "frozen: 1 hook, 0 failed")
    }

    @Test func `All are rolled back although one of them fails`() throws {
        let sandbox = try Sandbox()
        try sandbox.configure("on-failure = abort")
        try sandbox.addTracingHook("10-a")
        try sandbox.addTracingHook("20-b", then: "[ $1 = freeze ]")
        try sandbox.addTracingHook("30-c", then: "exit 3")
        let result = try sandbox.freeze()
        #expect(result.status == 1)
        #expect(result.stderr.hasPrefix("fsfreeze-hook: 30-c: "))
        #expect(result.stderr.contains("2 failed to thaw"))
        #expect(sandbox.trace.suffix(3) == ["30-c thaw rollback", "20-b thaw rollback", "10-a thaw rollback"])
    }

    @Test func `All thaw hooks run although one fails`() throws {
        let sandbox = try Sandbox()
        try sandbox.addTracingHook("10-a")
        try sandbox.addTracingHook("20-b", then: "[ $1 = freeze ]")
        try sandbox.addTracingHook("30-c")
        try sandbox.expectFreeze()
        try sandbox.expectThaw()
        #expect(sandbox.trace.suffix(3) == ["30-c thaw thaw", "20-b thaw thaw", "10-a thaw thaw"])
        #expect(sandbox.thawedSummary == "thawed: 3 hooks, 1 failed")
        // The cycle is over: a further thaw belongs to none.
        try sandbox.expectThaw()
        #expect(sandbox.cycle("thawed: ") == nil)
    }

    @Test func `A failing thaw shows in the exit status only when that is asked for`() throws {
        let sandbox = try Sandbox()
        try sandbox.configure("on-failure = abort")
        try sandbox.addTracingHook("10-a")
        try sandbox.addTracingHook("20-b", then: "[ $1 = freeze ]")
        try sandbox.expectFreeze()
        try sandbox.expectThaw()
        #expect(sandbox.thawedSummary == "thawed: 2 hooks, 1 failed")

        try sandbox.configure("on-failure = abort\nthaw-failure = report")
        try sandbox.expectFreeze()
        let result = try sandbox.thaw()
        #expect(result.status == 1)
        #expect(result.stdout == "")
        #expect(result.stderr.hasPrefix("fsfreeze-hook: 1 of 2 "))
        #expect(result.stderr.count { $0 == "\n" } == 1)
        #expect(sandbox.trace.suffix(2) == ["20-b thaw thaw", "10-a thaw thaw"])
    }

    @Test func `A name cannot forge the line that the host sees`() throws {
        let sandbox = try Sandbox()
        try sandbox.configure("on-failure = abort")
        try sandbox.addHook(Array("10\n\u{1b}[2Jforged".utf8), "#!/bin/sh\nexit 3\n".utf8)
        let result = try sandbox.freeze()
        #expect(result.stderr.hasPrefix("fsfreeze-hook: 10\\x0a\\x1b[2Jforged: "))
        #expect(result.stderr.count { $0 == "\n" } == 1)
    }

    @Test func `A hook's output does not reach the host`() throws {
        let sandbox = try Sandbox()
        try sandbox.configure("on-failure = abort")
        try sandbox.addHook("10-a", "echo chatter; echo more >&2; seq 1 100000; exit 3")
        let result = try sandbox.freeze()
        #expect(result.stdout == "")
        #expect(!result.stderr.contains("more"))
        #expect(result.stderr.utf8.count < 1024)
    }
}
