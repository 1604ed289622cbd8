// SPDX-License-Identifier: Apache-2.0

import Glibc
import TestSupport
import Testing

/// The program is killed with SIGKILL: the next call thaws all that was started.
@Suite struct KillTests {
    /// Without a guard the next call has to thaw; with one, both may thaw at once.
    static let guards = ["hold-limit = 0", "hold-limit = 5min"]

    /// Five hooks that note when they lock their application, a moment after their start.
    private func sandbox(_ configuration: String) throws -> Sandbox {
        let sandbox = try Sandbox()
        try sandbox.configure("kill-grace = 1s\n\(configuration)")
        for index in 1...5 {
            let lock = "[ $1 = thaw ] || { sleep 0.02; echo \"${0##*/} locked -\" >> $TEST_SANDBOX/trace; }"
            try sandbox.addTracingHook("\(index)-hook", then: lock)
        }
        return sandbox
    }

    /// The faults of a trace in which everything must be thawed in the end.
    private func faults(of trace: [String]) -> [String] {
        var locked: Set<Substring> = []
        var faults: [String] = []
        for (index, line) in trace.enumerated() {
            let words = line.split(separator: " ")
            if words[1] == "thaw" {
                locked.remove(words[0])
            } else if words[1] == "freeze" {
                if !locked.insert(words[0]).inserted { faults.append("\(index): \(words[0]) is frozen twice") }
            } else if !locked.contains(words[0]) {
                faults.append("\(index): \(words[0]) locks after its thaw")
            }
        }
        return faults + locked.map { "\($0) stays frozen" }
    }

    private func killAfter(_ seconds: Double, _ action: String, _ sandbox: Sandbox) throws {
        let call = try sandbox.start([action])
        usleep(useconds_t(seconds * 1_000_000))
        call.kill(SIGKILL)
        _ = try call.wait()
    }

    static let seeds = (0..<12).map { _ in UInt64.random(in: 0..<1_000_000) }

    @Test(arguments: seeds, guards)
    func `After kills at any moments a thaw leaves nothing locked`(seed: UInt64, configuration: String) throws {
        var random = SeededRandom(seed: seed)
        let aborts = Bool.random(using: &random)
        let sandbox = try sandbox(configuration + (aborts ? "\non-failure = abort" : ""))
        if aborts {
            try sandbox.addTracingHook("6-fails", then: "[ $1 = thaw ]")
        }
        for call in 0..<Int.random(in: 1...3, using: &random) {
            // The first call is a freeze, so that the others have a hook to thaw.
            let action = call == 0 || Bool.random(using: &random) ? "freeze" : "thaw"
            try killAfter(.random(in: 0...0.25, using: &random), action, sandbox)
        }
        try sandbox.expectThaw()
        #expect(faults(of: sandbox.trace) == [], "\(sandbox.trace)\n\(sandbox.log)")
        #expect(sandbox.isQuiet())
    }

    @Test(arguments: seeds.prefix(6), guards)
    func `After a kill a freeze thaws first what was started`(seed: UInt64, configuration: String) throws {
        var random = SeededRandom(seed: seed)
        let sandbox = try sandbox(configuration)
        try killAfter(.random(in: 0...0.25, using: &random), "freeze", sandbox)
        let killed = sandbox.trace
        try sandbox.expectFreeze()
        if !killed.isEmpty {
            #expect(sandbox.messages.contains { $0.contains("unfinished cycle ") })
            #expect(sandbox.trace.contains("1-hook thaw recover"))
        }
        #expect(sandbox.trace.suffix(2) == ["5-hook freeze freeze", "5-hook locked -"])
        try sandbox.expectThaw()
        #expect(faults(of: sandbox.trace) == [], "\(sandbox.trace)\n\(sandbox.log)")
    }

    @Test func `A hook that goes on after the kill is ended before it is thawed`() throws {
        let sandbox = try Sandbox()
        try sandbox.configure("kill-grace = 200ms\nhold-limit = 0")
        try sandbox.addTracingHook("10-a")
        let script = "[ $1 = thaw ] && exit 0\ntrap '' TERM\nsh -c 'sleep 1000' &\nwhile :; do sleep 1; done"
        try sandbox.addTracingHook("20-b", then: script)
        try sandbox.addTracingHook("30-c")
        let freeze = try sandbox.start(["freeze"])
        #expect(eventually { sandbox.trace.count == 2 })
        freeze.kill(SIGKILL)
        #expect(try freeze.wait().signal == SIGKILL)
        expectSilentSuccess(try sandbox.run(["thaw"], within: 20))
        #expect(sandbox.trace.suffix(2) == ["20-b thaw thaw", "10-a thaw thaw"])
        #expect(sandbox.messages.contains { $0.contains("20-b was still running") })
        #expect(sandbox.strays() == [])
    }

    @Test(arguments: ["thaw", "freeze"])
    func `A hook that kills the program is thawed by the next call`(next: String) throws {
        let sandbox = try Sandbox()
        try sandbox.configure("hold-limit = 0")
        try sandbox.addTracingHook("10-a")
        try sandbox.addTracingHook("20-b", then: "rmdir $TEST_SANDBOX/kill && kill -KILL $PPID")
        try sandbox.addTracingHook("30-c")
        try Files.makeDirectory("\(sandbox.path)/kill", mode: 0o700)
        #expect(try sandbox.freeze().signal == SIGKILL)
        sandbox.clearTrace()
        expectSilentSuccess(try sandbox.run([next]))
        let reason = next == "thaw" ? "thaw" : "recover"
        #expect(sandbox.trace.prefix(2) == ["20-b thaw \(reason)", "10-a thaw \(reason)"])
        #expect(sandbox.trace.count == (next == "thaw" ? 2 : 5))
    }

    @Test func `What a child of a hook says after the kill is in the log of the thaw`() throws {
        let sandbox = try Sandbox()
        let child =
            "while ! [ -e $TEST_SANDBOX/go ]; do sleep 0.02; done; echo late; touch $TEST_SANDBOX/said; sleep 1000"
        try sandbox.configure("hold-limit = 0")
        try sandbox.addTracingHook("10-holder", then: "[ $1 = thaw ] || { \(child); } &")
        try sandbox.addTracingHook("20-b", then: "[ $1 = thaw ] || exec sleep 1000")
        let freeze = try sandbox.start(["freeze"])
        #expect(eventually { sandbox.trace.count == 2 })
        freeze.kill(SIGKILL)
        _ = try freeze.wait()
        try Files.write("", to: "\(sandbox.path)/go")
        #expect(eventually { Files.exists("\(sandbox.path)/said") })
        try sandbox.expectThaw()
        #expect(sandbox.messages.contains("10-holder (left running): late"))
    }

    @Test func `A kill while qemu-ga holds the filesystems does not stop the thaw`() throws {
        let sandbox = try sandbox("hold-limit = 0")
        try sandbox.expectFreeze()
        try Files.write("", to: sandbox.agentState)
        try killAfter(0.03, "thaw", sandbox)
        try sandbox.expectThaw()
        #expect(faults(of: sandbox.trace) == [])
    }
}
