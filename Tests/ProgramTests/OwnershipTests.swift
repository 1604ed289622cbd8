// SPDX-License-Identifier: Apache-2.0

import Glibc
import TestSupport
import Testing

/// Hooks that somebody else could have written: the program runs as root.
@Suite struct OwnershipTests {
    /// A way to make a hook untrustworthy; the log gives this reason.
    struct Fault: CustomTestStringConvertible {
        var testDescription: String
        var reason: String
        /// The change to the sandbox and the hook's path.
        var make: @Sendable (Sandbox, String) throws -> Void
    }

    static let faults = [
        Fault(testDescription: "belongs to another user", reason: "belongs to user 4711") { _, hook in
            chown(hook, 4711, 0)
        },
        Fault(testDescription: "writable by others", reason: "writable by others") { _, hook in chmod(hook, 0o757) },
        Fault(testDescription: "writable by a group", reason: "writable by group 4711") { _, hook in
            chown(hook, 0, 4711)
            chmod(hook, 0o775)
        },
        Fault(testDescription: "writable by a user of its list", reason: "by its access control list") { _, hook in
            try AccessLists.letWrite(4711, hook)
        },
        Fault(testDescription: "writable by a group of its list", reason: "by its access control list") { _, hook in
            try AccessLists.letWrite(group: 4711, hook)
        },
        Fault(testDescription: "in a directory with such a list", reason: "by its access control list") { sandbox, _ in
            try AccessLists.letWrite(4711, sandbox.hookDirectory)
        },
        Fault(testDescription: "below a directory with such a list", reason: "by its access control list") {
            sandbox, _ in try AccessLists.letWrite(4711, sandbox.path)
        },
        Fault(testDescription: "setuid", reason: "setuid") { _, hook in chmod(hook, 0o4755) },
        Fault(testDescription: "setgid", reason: "setgid") { _, hook in chmod(hook, 0o2755) },
        Fault(testDescription: "in a directory that others can write", reason: "writable by others") { sandbox, _ in
            chmod(sandbox.hookDirectory, 0o777)
        },
        Fault(testDescription: "in a directory of another user", reason: "belongs to user 4711") { sandbox, _ in
            chown(sandbox.hookDirectory, 4711, 0)
        },
        Fault(testDescription: "in a sticky directory", reason: "writable by others") { sandbox, _ in
            chmod(sandbox.hookDirectory, 0o1777)
        },
        Fault(testDescription: "below a directory that others can write", reason: "writable by others") { sandbox, _ in
            chmod(sandbox.path, 0o777)
        },
        Fault(testDescription: "a link into a directory that others can write", reason: "writable by others") {
            try behindLink($0, $1, mode: 0o777)
        },
        Fault(testDescription: "a link below a directory that others can write", reason: "writable by others") {
            try behindLink($0, $1, mode: 0o777, below: "/deeper")
        },
        Fault(testDescription: "two links into a directory that others can write", reason: "writable by others") {
            sandbox, hook in
            try behindLink(sandbox, hook, mode: 0o777)
            rename(hook, "\(sandbox.path)/first")
            try Files.link(hook, to: "\(sandbox.path)/first")
        },
        Fault(testDescription: "a link of another user", reason: "belongs to user 4711") { sandbox, hook in
            try behindLink(sandbox, hook, mode: 0o755)
            lchown(hook, 4711, 0)
        },
    ]

    /// Moves the hook to another directory and puts a link in its place.
    static func behindLink(_ sandbox: Sandbox, _ hook: String, mode: mode_t, below: String = "") throws {
        let directory = "\(sandbox.path)/open"
        try Files.makeDirectory(directory)
        if !below.isEmpty { try Files.makeDirectory(directory + below) }
        chmod(directory, mode)
        rename(hook, "\(directory)\(below)/target")
        try Files.link(hook, to: "\(directory)\(below)/target")
    }

    @Test(arguments: faults)
    func `It is refused loudly and not run`(fault: Fault) throws {
        let sandbox = try Sandbox()
        let hook = try sandbox.addTracingHook("10-open")
        try fault.make(sandbox, hook)
        try sandbox.expectFreeze()
        let refusal = try #require(sandbox.messages.first { $0.hasPrefix("\(hook) refused: ") })
        #expect(refusal.contains(fault.reason))
        #expect(sandbox.frozenSummary == "frozen: 1 hook, 1 failed")
        try sandbox.expectThaw()
        try sandbox.expectThaw()
        #expect(sandbox.trace == [])

        let list = try sandbox.run(["list"])
        #expect(list.stdout.contains("refused: "))
        #expect(list.stdout.contains(fault.reason))
    }

    @Test(arguments: ["on-failure = abort", "[hook open]\nrequired = yes"])
    func `It counts as a failed hook`(configuration: String) throws {
        let sandbox = try Sandbox()
        try sandbox.configure(configuration)
        try sandbox.addTracingHook("10-a")
        try sandbox.addTracingHook("20-open")
        try sandbox.addTracingHook("30-c")
        chmod("\(sandbox.hookDirectory)/20-open", 0o777)
        let result = try sandbox.freeze()
        #expect(result.status == 1)
        #expect(result.stdout == "")
        #expect(result.stderr.contains("20-open"))
        #expect(result.stderr.contains("writable by others"))
        #expect(sandbox.trace == ["10-a freeze freeze", "10-a thaw rollback"])
    }

    @Test func `A hook that becomes untrustworthy after the freeze is not run by the thaw`() throws {
        let sandbox = try Sandbox()
        let hook = try sandbox.addTracingHook("10-open")
        try sandbox.addTracingHook("20-b")
        try sandbox.expectFreeze()
        chmod(hook, 0o777)
        sandbox.clearTrace()
        try sandbox.expectThaw()
        #expect(sandbox.trace == ["20-b thaw thaw"])
        #expect(sandbox.log.contains("\(hook) refused: is writable by others"))
    }

    /// A harmless state that must go on working.
    static let harmless = [
        Fault(testDescription: "writable by root's group", reason: "") { _, hook in chmod(hook, 0o775) },
        Fault(testDescription: "of a list whose mask lets nobody else write", reason: "") { _, hook in
            try AccessLists.letWriteBehindMask(4711, hook)
        },
        Fault(testDescription: "of a list that lets root write", reason: "") { _, hook in
            try AccessLists.letWrite(0, hook)
        },
        Fault(testDescription: "of another group that cannot write", reason: "") { _, hook in chown(hook, 0, 4711) },
        Fault(testDescription: "a link into a directory of root", reason: "") {
            try behindLink($0, $1, mode: 0o755)
        },
        Fault(testDescription: "a link through a sticky directory", reason: "") {
            try behindLink($0, $1, mode: 0o1777, below: "/deeper")
        },
    ]

    @Test(arguments: harmless)
    func `What only root could have written runs`(harmless: Fault) throws {
        let sandbox = try Sandbox()
        let hook = try sandbox.addTracingHook("10-own")
        try harmless.make(sandbox, hook)
        try sandbox.expectFreeze()
        #expect(sandbox.trace == ["10-own freeze freeze"])
    }
}
