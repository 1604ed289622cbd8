// SPDX-License-Identifier: Apache-2.0

import TestSupport
import Testing

/// Several calls at once: the hooks of two never mix.
@Suite struct ConcurrencyTests {
    /// Hooks that note when they find another one running.
    private func sandbox(hooks: Int, seconds: String) throws -> Sandbox {
        let sandbox = try Sandbox()
        for index in 0..<hooks {
            let script = """
                mkdir $TEST_SANDBOX/busy || echo overlap >> $TEST_SANDBOX/overlaps
                sleep \(seconds)
                rmdir $TEST_SANDBOX/busy
                """
            try sandbox.addTracingHook("\(10 + index)-hook", then: script)
        }
        return sandbox
    }

    private func overlaps(_ sandbox: Sandbox) -> String { Files.text(of: "\(sandbox.path)/overlaps") }

    @Test func `Of two freezes at once one is done and the other refused`() throws {
        let sandbox = try sandbox(hooks: 4, seconds: "0.05")
        let freezes = try (0..<2).map { _ in try sandbox.start(["freeze"]) }
        let results = try freezes.map { try $0.wait(within: 20) }
        #expect(results.map(\.status).sorted { ($0 ?? -1) < ($1 ?? -1) } == [0, 75])
        for result in results where result.status == 75 { #expect(result.stderr.hasPrefix("fsfreeze-hook: ")) }
        #expect(overlaps(sandbox) == "")
        #expect(sandbox.trace == (10..<14).map { "\($0)-hook freeze freeze" })
        try sandbox.expectThaw()
        #expect(sandbox.trace.suffix(4) == (10..<14).reversed().map { "\($0)-hook thaw thaw" }[...])
    }

    @Test func `A freeze is refused in time when the other one takes long`() throws {
        let sandbox = try Sandbox()
        try sandbox.addTracingHook("10-slow", then: "[ $1 = thaw ] || exec sleep 1000")
        let first = try sandbox.start(["freeze"])
        #expect(eventually { sandbox.trace.count == 1 })
        try sandbox.configure("freeze-timeout = 1s")
        let second = try sandbox.run(["freeze"], within: 20)
        #expect(second.status == 75)
        #expect(second.seconds < 5)
        #expect(first.isRunning)
        #expect(sandbox.trace == ["10-slow freeze freeze"])
    }

    @Test func `A freeze that waited for one that failed goes ahead`() throws {
        let sandbox = try Sandbox()
        try sandbox.configure("on-failure = abort")
        // The first call fails after a while, the second one finds its mark.
        let script = "[ $1 = thaw ] && exit 0\nmkdir $TEST_SANDBOX/first || exit 0\nsleep 0.5; exit 3"
        try sandbox.addTracingHook("10-a", then: script)
        let first = try sandbox.start(["freeze"])
        #expect(eventually { sandbox.trace.count == 1 })
        let second = try sandbox.start(["freeze"])
        #expect(try first.wait(within: 20).status == 1)
        expectSilentSuccess(try second.wait(within: 20))
        #expect(sandbox.trace == ["10-a freeze freeze", "10-a thaw rollback", "10-a freeze freeze"])
    }

    @Test func `A thaw in the middle of a freeze waits and then thaws it all`() throws {
        let sandbox = try sandbox(hooks: 3, seconds: "0.1")
        let freeze = try sandbox.start(["freeze"])
        #expect(eventually { !sandbox.trace.isEmpty })
        expectSilentSuccess(try sandbox.run(["thaw"], within: 20))
        expectSilentSuccess(try freeze.wait(within: 20))
        let names = (10..<13).map { "\($0)-hook" }
        #expect(sandbox.trace == names.map { "\($0) freeze freeze" } + names.reversed().map { "\($0) thaw thaw" })
        #expect(overlaps(sandbox) == "")
    }

    @Test(arguments: ["thaw", "recover"])
    func `A thaw that cannot get the lock in time thaws all the same`(call: String) throws {
        let sandbox = try Sandbox()
        try sandbox.addTracingHook("10-slow", then: "[ $1 = thaw ] || exec sleep 1000")
        let freeze = try sandbox.start(["freeze"])
        #expect(eventually { sandbox.trace.count == 1 })
        // The hook has its own limit beside it.
        try sandbox.configure("thaw-timeout = 300ms\nhook-timeout = 300ms\nkill-grace = 100ms")
        expectSilentSuccess(try sandbox.run([call], within: 20))
        #expect(sandbox.trace.contains("10-slow thaw \(call)"))
        #expect(try freeze.wait(within: 20).status == 1, "nothing is held any more")
        try sandbox.expectThaw()
        #expect(sandbox.isQuiet())
    }

    @Test func `Any mixture of calls leaves nothing frozen after a last thaw`() throws {
        let sandbox = try sandbox(hooks: 3, seconds: "0.005")
        for _ in 0..<3 {
            let calls = try (0..<6).map { try sandbox.start([$0.isMultiple(of: 2) ? "freeze" : "thaw"]) }
            for call in calls {
                let status = try call.wait(within: 30).status
                #expect(status == 0 || status == 75)
            }
        }
        try sandbox.expectThaw()
        #expect(overlaps(sandbox) == "")
        let actions = sandbox.trace.map { $0.split(separator: " ")[1] }
        // Each call of the program calls three hooks, and no other call comes between them.
        for start in stride(from: 0, to: actions.count, by: 3) {
            #expect(Set(actions[start..<start + 3]).count == 1)
        }
        #expect(sandbox.trace.suffix(3) == (10..<13).reversed().map { "\($0)-hook thaw thaw" }[...])
        #expect(sandbox.isQuiet())
    }
}
