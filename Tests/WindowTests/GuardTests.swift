// SPDX-License-Identifier: Apache-2.0

import Glibc
import TestSupport
import Testing

/// The guard ends a window that no thaw ends.
@Suite struct GuardTests {
    private func sandbox(_ limit: String, _ more: String = "") throws -> Sandbox {
        let sandbox = try Sandbox()
        try sandbox.configure("hold-limit = \(limit)\nkill-grace = 200ms\n\(more)")
        for name in ["10-a", "20-b"] { try sandbox.addTracingHook(name) }
        return sandbox
    }

    private static let frozen = ["10-a freeze freeze", "20-b freeze freeze"]
    private static let expired = ["20-b thaw expired", "10-a thaw expired"]

    @Test func `Without a thaw the hooks are thawed in reverse at the limit`() throws {
        let sandbox = try sandbox("150ms")
        try sandbox.expectFreeze()
        #expect(sandbox.trace == Self.frozen)
        #expect(eventually { sandbox.trace == Self.frozen + Self.expired }, "\(sandbox.trace)")
        #expect(sandbox.isQuiet())
    }

    @Test func `What the guard says waits in the run directory for the thaw`() throws {
        let sandbox = try sandbox("150ms")
        try sandbox.expectFreeze()
        let log = sandbox.log
        #expect(eventually { sandbox.trace.count == 4 && sandbox.parts("guard").isEmpty })
        #expect(sandbox.log == log, "nothing is written to a disk while it may be frozen")
        #expect(sandbox.runFiles.contains("deferred"))
        try sandbox.expectThaw()
        #expect(sandbox.trace == Self.frozen + Self.expired, "what the guard has thawed is not thawed again")
        let messages = sandbox.messages
        let told = try #require(messages.firstIndex { $0.contains("no thaw came within 150ms") })
        let late = try #require(messages.firstIndex { $0.contains("after the guard had ended the window") })
        #expect(told < late)
        #expect(messages[told..<late].contains { $0.hasPrefix("execute ") && $0.hasSuffix("10-a thaw") })
        #expect(sandbox.verdict?.hasPrefix("crash-consistent: the guard ended the window at ") == true)
        sandbox.expectNothingLeft()
    }

    @Test func `A thaw in time ends the guard`() throws {
        let sandbox = try sandbox("5min")
        try sandbox.expectFreeze()
        #expect(sandbox.parts("guard").count == 1)
        try sandbox.expectThaw()
        #expect(sandbox.isQuiet(within: 1))
        #expect(sandbox.verdict == "application-consistent")
        #expect(sandbox.messages.contains { $0.hasPrefix("guard: ") })
        sandbox.expectNothingLeft()
    }

    @Test(arguments: 0..<15) func `Guard and thaw at one moment thaw each hook once`(attempt: Int) throws {
        let sandbox = try sandbox("60ms")
        try sandbox.expectFreeze()
        usleep(useconds_t(48_000 + attempt * 1_500))
        try sandbox.expectThaw()
        #expect(eventually { sandbox.parts("guard").isEmpty })
        #expect(sandbox.trace.filter { $0.hasPrefix("10-a thaw") }.count == 1, "\(sandbox.trace)")
        #expect(sandbox.trace.filter { $0.hasPrefix("20-b thaw") }.count == 1, "\(sandbox.trace)")
        let byGuard = sandbox.trace.contains("10-a thaw expired")
        #expect(sandbox.verdict?.contains("the guard ended the window") == byGuard)
        sandbox.expectNothingLeft()
    }

    @Test func `A freeze that is killed is recovered at once`() throws {
        let sandbox = try sandbox("5min")
        try sandbox.addTracingHook("30-slow", then: "[ $1 = thaw ] || exec sleep 1000")
        let freeze = try sandbox.start(["freeze"])
        #expect(eventually { sandbox.trace.count == 3 })
        freeze.kill(SIGKILL)
        _ = try freeze.wait()
        let thawed = ["30-slow thaw recover", "20-b thaw recover", "10-a thaw recover"]
        #expect(eventually { sandbox.trace.suffix(3) == thawed }, "\(sandbox.trace)")
        sandbox.expectNothingLeft()
        #expect(sandbox.messages.contains { $0.contains("30-slow was still running") })
        #expect(sandbox.verdict?.contains("30-slow was cut off") == true)
    }

    @Test func `A killed guard is told of, and does not spoil the image`() throws {
        let sandbox = try sandbox("5min")
        try sandbox.expectFreeze()
        sandbox.destroy(try #require(sandbox.parts("guard").first))
        try sandbox.expectThaw()
        #expect(sandbox.messages.contains("the guard had been killed before the thaw"))
        #expect(sandbox.verdict == "application-consistent")
        sandbox.expectNothingLeft()
    }

    @Test func `A limit of nothing means no guard`() throws {
        let sandbox = try sandbox("0")
        try sandbox.expectFreeze()
        #expect(sandbox.processes() == [])
        try sandbox.expectThaw()
        #expect(sandbox.verdict == "application-consistent")
    }

    @Test func `The guard is a session of its own and holds nothing of its caller`() throws {
        let sandbox = try sandbox("5min")
        // The guard must not hold the caller's pipe: cat would wait for it.
        let script = "\"$@\" 2>&1 | cat; echo done"
        let command = ["/bin/sh", "-c", script, "sh", sandbox.program, "freeze"] + sandbox.options
        #expect(try sandbox.runCommand(command, within: 20).stdout == "done\n")
        let pid = try #require(sandbox.parts("guard").first)
        #expect(getsid(pid) == pid)
        let targets = try Files.names(in: "/proc/\(pid)/fd").map { name in
            var buffer = [CChar](repeating: 0, count: 4096)
            let count = readlink("/proc/\(pid)/fd/\(name)", &buffer, 4095)
            return String(decoding: buffer.prefix(max(0, count)).map { UInt8(bitPattern: $0) }, as: UTF8.self)
        }
        #expect(!targets.contains { $0.hasPrefix("pipe:") }, "\(targets)")
        try sandbox.expectThaw()
    }

    @Test func `What a child of a hook said is fetched by the guard and not missed by the thaw`() throws {
        let sandbox = try sandbox("100ms")
        try sandbox.addTracingHook("30-child", then: "[ $1 = thaw ] || { sleep 0.02; echo late; sleep 0.2; } &")
        try sandbox.expectFreeze()
        #expect(eventually { sandbox.trace.count == 6 && sandbox.processes().isEmpty })
        try sandbox.expectThaw()
        #expect(sandbox.messages.contains("30-child (left running): late"), "\(sandbox.log)")
        #expect(sandbox.verdict?.contains("lost") == false, "\(sandbox.verdict ?? "")")
        sandbox.expectNothingLeft()
    }

    @Test func `What the guard could not thaw is called again by the thaw`() throws {
        let sandbox = try sandbox("100ms")
        try sandbox.addTracingHook("30-c", then: "[ $FSFREEZE_REASON != expired ]")
        try sandbox.expectFreeze()
        #expect(eventually { sandbox.trace.count == 6 && sandbox.processes().isEmpty })
        try sandbox.expectThaw()
        #expect(sandbox.trace.suffix(2) == ["10-a thaw expired", "30-c thaw thaw"])
        #expect(sandbox.verdict?.contains("30-c thaw finished with status=1") == true)
        sandbox.expectNothingLeft()
    }

    @Test func `A freeze that is rolled back leaves no guard`() throws {
        let sandbox = try sandbox("5min", "on-failure = abort")
        try sandbox.addTracingHook("30-fails", then: "[ $1 = thaw ]")
        #expect(try sandbox.freeze().status == 1)
        #expect(sandbox.trace.last == "10-a thaw rollback")
        sandbox.expectNothingLeft()
    }

    @Test func `A window that the guard has ended does not stop the next freeze`() throws {
        let sandbox = try sandbox("80ms")
        try sandbox.expectFreeze()
        #expect(eventually { sandbox.trace.count == 4 && sandbox.parts("guard").isEmpty })
        try sandbox.expectFreeze()
        #expect(sandbox.messages.contains { $0.contains("no thaw came within 80ms") })
        #expect(sandbox.trace.suffix(2) == Self.frozen[...])
        try sandbox.expectThaw()
        #expect(eventually { sandbox.processes().isEmpty })
    }

    @Test func `The limit counts from the end of the freeze`() throws {
        let sandbox = try sandbox("100ms")
        try sandbox.addTracingHook("30-slow", then: "[ $1 = thaw ] || sleep 0.4")
        try sandbox.expectFreeze()
        #expect(sandbox.messages.last?.hasPrefix("frozen: 3 hooks, 0 failed") == true)
        #expect(eventually { sandbox.trace.count == 6 })
        #expect(sandbox.trace.suffix(3) == ["30-slow thaw expired", "20-b thaw expired", "10-a thaw expired"])
        try sandbox.expectThaw()
    }

    @Test(arguments: 0..<6) func `Guard, thaw and recover at one moment thaw each hook once`(attempt: Int) throws {
        let sandbox = try sandbox("60ms")
        try sandbox.expectFreeze()
        let cycle = try #require(sandbox.cycle)
        usleep(useconds_t(40_000 + attempt * 4_000))
        let calls = try ["recover", "thaw"].map { try sandbox.start([$0]) }
        for call in calls { #expect(try call.wait().status == 0) }
        #expect(eventually { sandbox.parts("guard").isEmpty })
        // A thaw without a cycle calls every hook; the cycle has ended before.
        let log = sandbox.messages
        let end = try #require(log.firstIndex { $0.hasPrefix("thawed: ") && $0.contains("(cycle \(cycle))") })
        for hook in ["10-a", "20-b"] {
            let thaws = log[...end].filter { $0.hasPrefix("execute ") && $0.hasSuffix("/\(hook) thaw") }
            #expect(thaws.count == 1, "\(sandbox.log)")
        }
        sandbox.expectNothingLeft()
    }

    @Test func `Guard and session survive the death of all that the caller has started`() throws {
        let sandbox = try sandbox("5min")
        try sandbox.addHoldingHook("30-db", session: "db")
        let shell = try sandbox.startCommand(
            ["/bin/sh", "-c", "\"$@\"; exec sleep 1000", "sh", sandbox.program, "freeze"] + sandbox.options)
        #expect(eventually { sandbox.messages.last?.hasPrefix("frozen: ") == true && shell.isRunning })
        // The signal goes to the whole process group: the test gives each child one of its own.
        kill(-shell.pid, SIGKILL)
        _ = try shell.wait()
        #expect(sandbox.parts("guard").count == 1 && sandbox.parts("holder").count == 1)
        #expect(sandbox.isLocked("db"))
        for pid in sandbox.parts("guard") + sandbox.parts("holder") + sandbox.clients { #expect(getsid(pid) == pid) }
        try sandbox.expectThaw()
        #expect(sandbox.verdict == "application-consistent")
        sandbox.expectNothingLeft()
    }

    @Test func `Somebody who connects and says nothing does not keep the guard from its work`() throws {
        let sandbox = try sandbox("200ms")
        try sandbox.expectFreeze()
        let name = try #require(sandbox.runFiles.first { $0.hasPrefix("guard-") })
        let silent = try Connection(to: "\(sandbox.runDirectory)/\(name)")
        #expect(eventually(within: 5) { sandbox.trace == Self.frozen + Self.expired }, "\(sandbox.trace)")
        withExtendedLifetime(silent) {}
        try sandbox.expectThaw()
        sandbox.expectNothingLeft()
    }

    @Test func `The guard keeps to the limit of the freeze when the configuration is broken meanwhile`() throws {
        let sandbox = try sandbox("150ms")
        try sandbox.expectFreeze()
        try sandbox.configure("nonsense")
        #expect(eventually { sandbox.trace == Self.frozen + Self.expired }, "\(sandbox.trace)")
        try sandbox.expectThaw()
        #expect(sandbox.messages.contains { $0.contains("no thaw came within 150ms") }, "\(sandbox.log)")
        sandbox.expectNothingLeft()
    }

    @Test func `The guard thaws also when the record of the cycle is lost, and that is told`() throws {
        let sandbox = try sandbox("200ms")
        try sandbox.expectFreeze()
        unlink("\(sandbox.runDirectory)/cycle")
        #expect(eventually(within: 5) { sandbox.trace.count == 4 }, "\(sandbox.trace)")
        #expect(sandbox.trace.suffix(2).allSatisfy { $0.contains(" thaw ") })
        try sandbox.expectThaw()
        #expect(sandbox.messages.contains { $0.contains("no thaw came within 200ms") })
        sandbox.expectNothingLeft()
    }
}
