// SPDX-License-Identifier: Apache-2.0

import TestSupport
import Testing

/// Hooks that end badly: under the default policy they are logged and change nothing else.
@Suite struct FailingHookTests {
    @Test(arguments: [1, 3, 76, 78, 124, 126, 127, 128, 137, 255])
    func `A hook's exit status is logged and the next hooks run`(status: Int) throws {
        let sandbox = try Sandbox()
        try sandbox.addTracingHook("10-first", then: "exit \(status)")
        try sandbox.addTracingHook("20-second")
        try sandbox.expectFreeze()
        #expect(sandbox.ending(of: "10-first")?.contains("finished with status=\(status) in ") == true)
        #expect(sandbox.frozenSummary == "frozen: 2 hooks, 1 failed")
        try sandbox.expectThaw()
        #expect(sandbox.thawedSummary == "thawed: 2 hooks, 1 failed")
        #expect(
            sandbox.trace == [
                "10-first freeze freeze", "20-second freeze freeze", "20-second thaw thaw", "10-first thaw thaw",
            ])
    }

    @Test(arguments: [
        ("HUP", 1), ("INT", 2), ("QUIT", 3), ("ILL", 4), ("ABRT", 6), ("FPE", 8), ("KILL", 9), ("SEGV", 11),
        ("PIPE", 13), ("ALRM", 14), ("TERM", 15),
    ])
    func `Death by a signal is named in words and with the shell's status`(name: String, number: Int) throws {
        let sandbox = try Sandbox()
        try sandbox.addHook("10-first", "ulimit -c 0; kill -\(name) $$; exit 0")
        try sandbox.addTracingHook("20-second")
        try sandbox.expectFreeze()
        let ending = try #require(sandbox.ending(of: "10-first"))
        #expect(ending.contains("finished with status=\(128 + number) in "))
        #expect(ending.hasSuffix("(killed by SIG\(name))"))
        #expect(sandbox.trace == ["20-second freeze freeze"])
        #expect(sandbox.frozenSummary == "frozen: 2 hooks, 1 failed")
    }

    @Test func `A signal without a name is shown by its number`() throws {
        let sandbox = try Sandbox()
        try sandbox.addHook("10-first", "kill -40 $$")
        try sandbox.expectFreeze()
        #expect(sandbox.ending(of: "10-first")?.hasSuffix("(killed by signal 40)") == true)
    }

    @Test func `A hook with nothing to do does not count`() throws {
        let sandbox = try Sandbox()
        try sandbox.configure("on-failure = abort")
        try sandbox.addTracingHook("10-first", then: "exit 77")
        try sandbox.addTracingHook("20-second")
        try sandbox.expectFreeze()
        #expect(sandbox.ending(of: "10-first")?.hasSuffix("(nothing to do here)") == true)
        #expect(sandbox.ending(of: "10-first")?.contains("finished with status=77 in ") == true)
        #expect(sandbox.frozenSummary == "frozen: 1 hook, 0 failed")
    }

    @Test func `A hook is run in a session of its own, so that a signal to its group hits it alone`() throws {
        let sandbox = try Sandbox()
        try sandbox.addHook("10-first", "kill -KILL 0")
        try sandbox.addTracingHook("20-second")
        try sandbox.expectFreeze()
        #expect(sandbox.ending(of: "10-first")?.contains("status=137") == true)
        #expect(sandbox.trace == ["20-second freeze freeze"])
    }

    @Test func `A hook that kills its caller's children by name leaves the caller alone`() throws {
        let sandbox = try Sandbox()
        try sandbox.addHook("10-first", "trap '' HUP TERM; kill -HUP -$$; kill -TERM -$$; exit 5")
        try sandbox.expectFreeze()
        #expect(sandbox.ending(of: "10-first")?.contains("status=5 ") == true)
    }
}
