// SPDX-License-Identifier: Apache-2.0

import TestSupport
import Testing

/// Hooks that do not end: SIGTERM, the grace, SIGKILL, and nothing of them is left.
@Suite struct HangingHookTests {
    /// A hook that hangs, and the words on its end.
    struct Hang: CustomTestStringConvertible {
        var testDescription: String
        var script: String
        var ending: String
    }

    /// A child of the hook in a session of its own that init would own and that ignores SIGTERM.
    static let stray = "(setsid sh -c 'trap \"\" TERM; while :; do sleep 1; done' &) &"

    static let hangs = [
        Hang(
            testDescription: "sleeps for ever", script: "exec sleep 1000",
            ending: "status=143 in | s (time limit of 300ms exceeded, ended by SIGTERM)"),
        Hang(
            testDescription: "waits for a child that sleeps for ever", script: "sleep 1000; exit 0",
            ending: "status=143 in | s (time limit of 300ms exceeded, ended by SIGTERM)"),
        Hang(
            testDescription: "ends well on SIGTERM", script: "trap 'exit 0' TERM; while :; do sleep 0.05; done",
            ending: "status=124 in | s (time limit of 300ms exceeded, ended by SIGTERM)"),
        Hang(
            testDescription: "ignores SIGTERM", script: "trap '' TERM; while :; do sleep 1; done",
            ending: "status=137 in | s (time limit of 300ms exceeded, ended by SIGKILL)"),
        Hang(
            testDescription: "has a child that ignores SIGTERM", script: "sh -c 'trap \"\" TERM; sleep 1000' & wait",
            ending: "status=143 in | s (time limit of 300ms exceeded, ended by SIGKILL)"),
        Hang(
            testDescription: "double-forks, leaves its session and ignores SIGTERM",
            script: "\(stray)\ntrap '' TERM; while :; do sleep 1; done",
            ending: "status=137 in | s (time limit of 300ms exceeded, ended by SIGKILL)"),
        Hang(
            testDescription: "double-forks without an environment to be known by",
            script: "(exec env -i setsid sh -c 'trap \"\" TERM; exec tail -f \"$0\"' \"$0\" &)\nexec sleep 1000",
            ending: "status=143 in | s (time limit of 300ms exceeded, ended by SIGKILL)"),
        Hang(
            testDescription: "stops itself", script: "kill -STOP $$",
            ending: "status=|(time limit of 300ms exceeded, ended by SIG"),
        Hang(
            testDescription: "forks for ever",
            script: "trap '' TERM; while :; do setsid sleep 1000 & sleep 0.01; done",
            ending: "status=137 in | s (time limit of 300ms exceeded, ended by SIGKILL)"),
        Hang(
            testDescription: "prints for ever", script: "exec yes",
            ending: "status=143 in | s (time limit of 300ms exceeded, ended by SIGTERM)"),
        Hang(
            testDescription: "closes its descriptors and sleeps", script: "exec 0<&- 1>&- 2>&-\nsleep 1000",
            ending: "status=143 in | s (time limit of 300ms exceeded, ended by SIGTERM)"),
    ]

    @Test(arguments: hangs)
    func `A hook that hangs is ended with everything it started`(hang: Hang) throws {
        let sandbox = try Sandbox()
        try sandbox.configure("kill-grace = 200ms\n[hook hang]\ntimeout = 300ms")
        try sandbox.addHook("10-hang", "[ \"$1\" = freeze ] || exit 0\n\(hang.script)")
        try sandbox.addTracingHook("20-next")
        expectSilentSuccess(try sandbox.run(["freeze"], within: 20))
        // The processes have gone before the freeze ends, not some time later.
        #expect(sandbox.strays() == [])
        let ending = try #require(sandbox.ending(of: "10-hang"))
        for part in hang.ending.split(separator: "|") { #expect(ending.contains(part)) }
        #expect(sandbox.trace == ["20-next freeze freeze"])
        #expect(sandbox.frozenSummary == "frozen: 2 hooks, 1 failed")
    }

    @Test func `A child in a process group of its own is ended too`() throws {
        let sandbox = try Sandbox()
        let python = try Tools.command("python3", package: "python3")
        try sandbox.configure("kill-grace = 200ms\nhook-timeout = 500ms")
        try sandbox.addHook(
            "10-group",
            """
            #!\(python)
            import os, signal, time
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            if os.fork() == 0:
                os.setpgid(0, 0)
            time.sleep(1000)
            """)
        expectSilentSuccess(try sandbox.run(["freeze"], within: 20))
        #expect(sandbox.strays() == [])
        #expect(sandbox.ending(of: "10-group")?.contains("ended by SIGKILL") == true)
    }

    @Test func `The time limit of a thaw is kept as well`() throws {
        let sandbox = try Sandbox()
        try sandbox.configure("kill-grace = 100ms\nhook-timeout = 300ms\nhold-limit = 0")
        try sandbox.addTracingHook("10-first")
        try sandbox.addTracingHook("20-hang", then: "[ $1 = freeze ] || sleep 1000")
        try sandbox.expectFreeze()
        expectSilentSuccess(try sandbox.run(["thaw"], within: 20))
        #expect(sandbox.ending(of: "20-hang", "thaw")?.contains("time limit of 300ms exceeded") == true)
        #expect(sandbox.trace.last == "10-first thaw thaw")
        #expect(sandbox.strays() == [])
        #expect(sandbox.isQuiet())
    }

    @Test func `A hook that does not end by SIGTERM gets its whole grace`() throws {
        let sandbox = try Sandbox()
        try sandbox.configure("kill-grace = 10s\nhook-timeout = 100ms")
        try sandbox.addHook("10-slow", "trap 'sleep 0.5; echo saved; exit 0' TERM\nwhile :; do sleep 0.02; done")
        try sandbox.expectFreeze()
        #expect(sandbox.output(of: "10-slow").last == "saved")
        let advice = "10-slow was ended at its limit: timeout = in [hook slow] and freeze-timeout = give it more time; "
        #expect(sandbox.messages.contains { $0.contains(advice + "with prepare = yes ") })
        #expect(sandbox.ending(of: "10-slow")?.contains("ended by SIGTERM") == true)
    }

    @Test(arguments: ["setsid", "env -i setsid"])
    func `A child that an earlier hook left running is not ended with a later hook`(command: String) throws {
        let sandbox = try Sandbox()
        try sandbox.configure("kill-grace = 100ms\n[hook hang]\ntimeout = 200ms")
        // The daemon is older than the later hook, by more than the kernel's clock tick.
        let daemon = "(\(command) sh -c 'echo $$ > \"$0\"; exec tail -f \"$0\"' $TEST_SANDBOX/pid &)"
        try sandbox.addHook("10-daemon", "\(daemon)\nsleep 0.1")
        try sandbox.addHook("20-hang", "trap '' TERM; while :; do sleep 1; done")
        try sandbox.expectFreeze()
        let pid = try #require(Int32(Files.text(of: "\(sandbox.path)/pid").filter(\.isNumber)))
        #expect(Processes.isAlive(pid))
        #expect(sandbox.ending(of: "20-hang")?.contains("ended by SIGKILL") == true)
    }
}
