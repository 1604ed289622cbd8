// SPDX-License-Identifier: Apache-2.0

import Glibc
import TestSupport
import Testing

/// Entries of the hook directory that are no hooks, and hooks that go away.
@Suite struct DiscoveryTests {
    /// Makes an entry in the hook directory; `list` gives this reason for not running it.
    struct Entry: CustomTestStringConvertible {
        var testDescription: String
        var why: String
        var make: @Sendable (Sandbox, String) throws -> Void
    }

    static let entries = [
        Entry(testDescription: "a directory", why: "directory") { sandbox, path in try Files.makeDirectory(path) },
        Entry(testDescription: "a link to a directory", why: "directory") { sandbox, path in
            try Files.link(path, to: "/etc")
        },
        Entry(testDescription: "a FIFO", why: "neither") { sandbox, path in mkfifo(path, 0o755) },
        Entry(testDescription: "a link to a device", why: "neither") { sandbox, path in
            try Files.link(path, to: "/dev/zero")
        },
        Entry(testDescription: "a dangling link", why: "dangling") { sandbox, path in
            try Files.link(path, to: "/nonexistent")
        },
        Entry(testDescription: "a link to /dev/null", why: "masked") { sandbox, path in
            try Files.link(path, to: "/dev/null")
        },
        Entry(testDescription: "an empty executable", why: "masked") { sandbox, path in
            try Files.write("", to: path, mode: 0o755)
        },
        Entry(testDescription: "an empty file", why: "masked") { sandbox, path in try Files.write("", to: path) },
        Entry(testDescription: "not executable", why: "not executable") { sandbox, path in
            try Files.write(sandbox.tracing(), to: path, mode: 0o644)
        },
    ]

    @Test(arguments: entries)
    func `What is no hook is passed over, and list says why`(entry: Entry) throws {
        let sandbox = try Sandbox()
        try sandbox.configure("on-failure = abort")
        try sandbox.addTracingHook("10-first")
        try entry.make(sandbox, "\(sandbox.hookDirectory)/20-odd")
        try sandbox.addTracingHook("30-last")
        try sandbox.expectFreeze()
        try sandbox.expectThaw()
        try sandbox.expectThaw()
        let thaws = ["30-last thaw thaw", "10-first thaw thaw"]
        #expect(sandbox.trace == ["10-first freeze freeze", "30-last freeze freeze"] + thaws + thaws)
        #expect(sandbox.frozenSummary == "frozen: 2 hooks, 0 failed")
        #expect(sandbox.thawedSummary == "thawed: 2 hooks, 0 failed")
        let list = try sandbox.run(["list"])
        #expect(list.status == 0)
        let line = try #require(list.stdout.split(separator: "\n").first { $0.contains("20-odd") })
        #expect(line.contains("does not run"))
        #expect(line.contains(entry.why))
    }

    @Test func `An executable that only its group may execute runs, as root's access says`() throws {
        let sandbox = try Sandbox()
        try sandbox.addHook("10-group", "exit 0", mode: 0o750)
        try sandbox.addHook("20-owner", "exit 0", mode: 0o700)
        try sandbox.expectFreeze()
        #expect(sandbox.frozenSummary == "frozen: 2 hooks, 0 failed")
    }

    @Test func `A hook that vanishes between freeze and thaw does not stop the others`() throws {
        let sandbox = try Sandbox()
        try sandbox.configure("hold-limit = 0")
        for name in ["10-a", "20-b", "30-c"] { try sandbox.addTracingHook(name) }
        try sandbox.expectFreeze()
        unlink("\(sandbox.hookDirectory)/20-b")
        sandbox.clearTrace()
        try sandbox.expectThaw()
        #expect(sandbox.trace == ["30-c thaw thaw", "10-a thaw thaw"])
        #expect(sandbox.ending(of: "20-b", "thaw")?.contains("finished with status=127 in ") == true)
        // Nobody knows whether its application is held.
        #expect(sandbox.messages.contains { $0.hasPrefix("not thawed: 3 hooks, 1 failed") })
        try sandbox.expectFreeze()
    }

    @Test func `Only what was frozen is thawed`() throws {
        let sandbox = try Sandbox()
        try sandbox.addTracingHook("10-a")
        try sandbox.expectFreeze()
        try sandbox.addTracingHook("20-new")
        chmod("\(sandbox.hookDirectory)/10-a", 0o644)
        sandbox.clearTrace()
        try sandbox.expectThaw()
        #expect(!sandbox.trace.contains { $0.hasPrefix("20-new") })
    }

    @Test(arguments: ["rm -rf \"${0%/*}\"", "mv \"${0%/*}\" \"$TEST_SANDBOX/elsewhere\""])
    func `A hook that takes the hook directory away fails the rest, and the thaw still ends well`(script: String) throws
    {
        let sandbox = try Sandbox()
        try sandbox.addTracingHook("10-a", then: script)
        try sandbox.addTracingHook("20-b")
        try sandbox.expectFreeze()
        #expect(sandbox.ending(of: "10-a")?.contains("status=0") == true)
        #expect(sandbox.ending(of: "20-b")?.contains("status=127") == true)
        #expect(sandbox.frozenSummary == "frozen: 2 hooks, 1 failed")
        try sandbox.expectThaw()
        try sandbox.expectThaw()
        try sandbox.expectFreeze()
        #expect(sandbox.trace == ["10-a freeze freeze"])
    }

    @Test func `A hook that removes the run directory is thawed all the same`() throws {
        let sandbox = try Sandbox()
        try sandbox.addTracingHook("10-a", then: "rm -rf \"$FSFREEZE_RUN_DIR\"")
        try sandbox.addTracingHook("20-b")
        try sandbox.expectFreeze()
        sandbox.clearTrace()
        try sandbox.expectThaw()
        #expect(sandbox.trace.first == "20-b thaw thaw")
        #expect(sandbox.trace.last == "10-a thaw thaw")
    }

    @Test func `A hook that cannot be looked at is a failed one, and a required one ends the freeze`() throws {
        let sandbox = try Sandbox()
        try sandbox.addTracingHook("10-first")
        try sandbox.link("20-loop", to: "20-loop")
        try sandbox.expectFreeze()
        try sandbox.expectThaw()
        #expect(sandbox.frozenSummary == "frozen: 2 hooks, 1 failed")
        #expect(sandbox.log.contains("/20-loop refused: "))
        let verdict = try #require(sandbox.messages.last)
        #expect(verdict.contains("crash-consistent: 20-loop was not called with freeze: "))
        try sandbox.configure("[hook loop]\nrequired = yes")
        #expect(try sandbox.freeze().status == 1)
        #expect(sandbox.trace.last == "10-first thaw rollback")
    }

    @Test func `A hook that the configuration leaves out is shown with its reason, and counts nowhere`() throws {
        let sandbox = try Sandbox()
        try sandbox.configure("on-failure = abort\n[hook wrapper]\nrun = no")
        try sandbox.addTracingHook("10-db")
        try sandbox.addHook("20-wrapper", "exec \"$@\"")
        try sandbox.expectFreeze()
        try sandbox.expectThaw()
        // Without a record every hook of the directory is thawed.
        try sandbox.expectThaw()
        #expect(sandbox.trace == ["10-db freeze freeze", "10-db thaw thaw", "10-db thaw thaw"])
        #expect(sandbox.frozenSummary == "frozen: 1 hook, 0 failed")
        #expect(!sandbox.log.contains("wrapper"))
        let list = try sandbox.run(["list"]).stdout
        #expect(list.contains("20-wrapper  does not run  left out by the configuration: run = no"))
    }

    @Test func `A hook that is left out in the window is thawed all the same`() throws {
        let sandbox = try Sandbox()
        try sandbox.addTracingHook("10-db")
        try sandbox.expectFreeze()
        try sandbox.configure("[hook db]\nrun = no")
        try sandbox.expectThaw()
        #expect(sandbox.trace == ["10-db freeze freeze", "10-db thaw thaw"])
    }

    @Test(arguments: ["", "on-failure = abort", "[hook db]\nrequired = yes"])
    func `A hook directory that cannot be listed is a failure`(configuration: String) throws {
        let sandbox = try Sandbox()
        try sandbox.configure(configuration)
        rmdir(sandbox.hookDirectory)
        try Files.link(sandbox.hookDirectory, to: "fsfreeze-hook.d")
        let freeze = try sandbox.freeze()
        let reason = "no hook runs: the directory \(sandbox.hookDirectory) cannot be read: "
        if configuration.isEmpty {
            expectSilentSuccess(freeze)
            try sandbox.expectThaw()
            #expect(try #require(sandbox.messages.last).contains("crash-consistent: \(reason)"))
        } else {
            #expect(freeze.status == 1)
            #expect(freeze.stderr.contains(reason))
            #expect(!sandbox.log.contains("frozen: "))
        }
    }

    @Test(arguments: [false, true])
    func `A hook directory that is missing or empty is no failure`(exists: Bool) throws {
        let sandbox = try Sandbox()
        try sandbox.configure("on-failure = abort")
        if !exists { rmdir(sandbox.hookDirectory) }
        try sandbox.expectFreeze()
        try sandbox.expectThaw()
        #expect(sandbox.frozenSummary == "frozen: 0 hooks, 0 failed")
    }
}
