// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestSupport
import Testing

/// A thaw that comes to no answer gives nothing up: it is tried again, and told until it is done.
@Suite struct UnthawedTests {
    private func sandbox(_ configuration: String = "") throws -> Sandbox {
        let sandbox = try Sandbox()
        try sandbox.configure("kill-grace = 100ms\nthaw-timeout = 200ms\n\(configuration)")
        try sandbox.addTracingHook("10-db")
        try sandbox.addTracingHook("20-other")
        return sandbox
    }

    /// A file that is open for writing cannot be executed (ETXTBSY): the hook's start fails until this is given up.
    private final class BusyFile {
        private var descriptor: Int32

        init(_ sandbox: Sandbox, _ hook: String) throws {
            descriptor = open("\(sandbox.hookDirectory)/\(hook)", O_WRONLY | O_CLOEXEC)
            try #require(descriptor >= 0)
        }

        func end() {
            if descriptor >= 0 { close(descriptor) }
            descriptor = -1
        }

        deinit { end() }
    }

    /// Has the hook do `words` at its thaw, as long as the file `broken` is there.
    private func addBreakingHook(_ name: String, to sandbox: Sandbox, _ words: String, header: String = "") throws {
        try Files.write("", to: "\(sandbox.path)/broken")
        let script = sandbox.tracing("[ $1 = freeze ] || [ ! -e \(sandbox.path)/broken ] || \(words)")
        try sandbox.addHook(name, script.replacingOccurrences(of: "#!/bin/sh\n", with: "#!/bin/sh\n\(header)"))
    }

    private func mend(_ sandbox: Sandbox) { unlink("\(sandbox.path)/broken") }

    private func problems(_ sandbox: Sandbox) throws -> [String] {
        let attentions = try sandbox.statusObject()["attentions"] as? [[String: Any]] ?? []
        return attentions.compactMap { $0["problem"] as? String }
    }

    private func thaws(_ sandbox: Sandbox, of hook: String = "10-db") -> [String] {
        sandbox.trace.filter { $0.hasPrefix("\(hook) thaw ") }
    }

    private static let told = "10-db may still be held: its thaw has not come to its end"

    // MARK: - In one thaw

    @Test func `A hook that cannot be started is tried again, and holds up no other`() throws {
        let sandbox = try sandbox("thaw-timeout = 20s")
        try sandbox.expectFreeze()
        let busy = try BusyFile(sandbox, "20-other")
        let thaw = try sandbox.start(["thaw"])
        #expect(eventually { thaws(sandbox).count == 1 }, "the other one is not held up")
        #expect(thaw.isRunning)
        busy.end()
        expectSilentSuccess(try thaw.wait(within: 20))
        #expect(sandbox.trace.suffix(2) == ["10-db thaw thaw", "20-other thaw thaw"])
        #expect(sandbox.verdict == "application-consistent")
        #expect(sandbox.messages.contains { $0.hasPrefix("thawed: 2 hooks, 0 failed") }, "\(sandbox.log)")
        sandbox.expectNothingLeft()
    }

    @Test func `A hook keeps its own time although another one hangs`() throws {
        let sandbox = try sandbox("[hook 20-other]\ntimeout = 400ms")
        try sandbox.addTracingHook("10-db", then: "[ $1 = freeze ] || { sleep 1.5; echo whole; }")
        try sandbox.addTracingHook("20-other", then: "[ $1 = freeze ] || exec sleep 1000")
        try sandbox.expectFreeze()
        expectSilentSuccess(try sandbox.run(["thaw"], within: 20))
        #expect(sandbox.output(of: "10-db") == ["whole"])
        #expect(sandbox.ending(of: "10-db", "thaw")?.contains("status=0 ") == true)
    }

    // MARK: - After it

    @Test func `What could not be started stays in the record, is told, and is tried again by the guard`() throws {
        let sandbox = try sandbox("hold-limit = 1500ms")
        try sandbox.expectFreeze()
        let cycle = try #require(sandbox.cycle)
        let busy = try BusyFile(sandbox, "10-db")
        expectSilentSuccess(try sandbox.thaw())
        #expect(sandbox.cycle == cycle)
        #expect(sandbox.parts("guard").count == 1)
        #expect(sandbox.messages.contains { $0.hasPrefix("10-db may still be held: the guard tries again") })
        #expect(!sandbox.messages.contains { $0.hasPrefix("thawed: ") })
        #expect(try problems(sandbox) == [Self.told])
        let text = try sandbox.run(["status"])
        #expect(text.status == 2 && text.stdout.contains("10-db may still be held"), "\(text.stdout)")
        let nagios = try sandbox.run(["status", "--nagios"])
        #expect(nagios.status == 2)
        #expect(nagios.stdout.contains("\(Self.told): fsfreeze-hook thaw calls it again"), "\(nagios.stdout)")
        let check = try sandbox.run(["check", "--json"])
        #expect(check.stdout.contains(Self.told), "\(check.stdout) \(check.stderr)")
        busy.end()
        #expect(eventually { thaws(sandbox) == ["10-db thaw recover"] && sandbox.parts("guard").isEmpty })
        #expect(try problems(sandbox) == [])
        #expect(sandbox.messages.contains { $0.hasPrefix("thawed: ") && $0.contains("(cycle \(cycle))") })
        #expect(try sandbox.run(["history"]).stdout.contains(cycle.prefix(8)))
        sandbox.expectNothingLeft()
    }

    static let breaks = [
        "kill -KILL $$", "exec sleep 1000",
    ]

    @Test(arguments: breaks) func `One that was killed or over its limit is called again by a thaw`(words: String)
        throws
    {
        let sandbox = try sandbox("hold-limit = 0\n[hook 10-db]\ntimeout = 300ms")
        try addBreakingHook("10-db", to: sandbox, words)
        try sandbox.expectFreeze()
        for count in 1...2 {
            expectSilentSuccess(try sandbox.thaw())
            #expect(thaws(sandbox).count == count)
            #expect(try problems(sandbox) == [Self.told])
        }
        #expect(thaws(sandbox, of: "20-other").count == 1, "what is thawed is not called again")
        mend(sandbox)
        try sandbox.expectThaw()
        #expect(thaws(sandbox).count == 3)
        #expect(try problems(sandbox) == [])
        sandbox.expectNothingLeft()
    }

    @Test(arguments: [true, false]) func `A failing status is an answer, unless the hook declares otherwise`(
        declares: Bool
    ) throws {
        let sandbox = try sandbox("hold-limit = 0")
        let header = declares ? "# fsfreeze-hook: retry-thaw = yes\n" : ""
        try addBreakingHook("10-db", to: sandbox, "exit 3", header: header)
        try sandbox.expectFreeze()
        expectSilentSuccess(try sandbox.thaw())
        #expect(try problems(sandbox) == (declares ? [Self.told] : []))
        #expect(sandbox.messages.contains { $0.contains("10-db finished with status=3") })
        guard declares else { return sandbox.expectNothingLeft() }
        mend(sandbox)
        try sandbox.expectThaw()
        #expect(thaws(sandbox).count == 2)
        sandbox.expectNothingLeft()
    }

    @Test func `A failing status of such a hook is none either when the record was lost`() throws {
        let sandbox = try sandbox("hold-limit = 60s")
        try addBreakingHook("10-db", to: sandbox, "exit 3", header: "# fsfreeze-hook: retry-thaw = yes\n")
        try sandbox.expectFreeze()
        unlink("\(sandbox.runDirectory)/cycle")
        expectSilentSuccess(try sandbox.thaw())
        #expect(try problems(sandbox) == [Self.told])
        #expect(!sandbox.parts("guard").isEmpty, "the guard tries again")
        mend(sandbox)
        try sandbox.expectThaw()
        sandbox.expectNothingLeft()
    }

    @Test func `A hook whose session was lost has nothing to be tried again for`() throws {
        let sandbox = try sandbox("hold-limit = 0")
        let holding = try sandbox.holding("db")
        try sandbox.addHook("10-db", "#!/bin/sh\n# fsfreeze-hook: retry-thaw = yes\n\(holding)\n")
        try sandbox.expectFreeze()
        sandbox.destroy(try #require(sandbox.parts("holder").first))
        expectSilentSuccess(try sandbox.thaw())
        #expect(sandbox.verdict?.contains("10-db thaw finished with status=") == true, "\(sandbox.log)")
        sandbox.expectNothingLeft()
    }

    @Test func `The next freeze tries once, goes on, and knows what may still be held`() throws {
        let sandbox = try sandbox("hold-limit = 0")
        try addBreakingHook("10-db", to: sandbox, "kill -KILL $$")
        try sandbox.expectFreeze()
        let first = try #require(sandbox.cycle)
        expectSilentSuccess(try sandbox.thaw())
        try sandbox.expectFreeze()
        #expect(thaws(sandbox) == ["10-db thaw thaw", "10-db thaw recover"])
        #expect(sandbox.cycle != first)
        #expect(try problems(sandbox).contains(Self.told))
        #expect(sandbox.verdict?.contains("10-db may still be held: the next cycle has to thaw it") == true)
        // Its file is gone, and it still is not forgotten.
        unlink("\(sandbox.hookDirectory)/10-db")
        for call in ["thaw", "freeze", "thaw"] {
            expectSilentSuccess(try sandbox.run([call]))
            #expect(try problems(sandbox).contains(Self.told), "after \(call)")
        }
        expectSilentSuccess(try sandbox.run(["thaw", "--give-up"]))
        #expect(try problems(sandbox) == [])
        #expect(sandbox.messages.contains("10-db may still be held: its thaw is given up"))
        #expect(sandbox.verdict?.contains("10-db may still be held: its thaw was given up") == true, "\(sandbox.log)")
        sandbox.expectNothingLeft()
        // The cycle after it is as any other.
        try sandbox.expectFreeze()
        try sandbox.expectThaw()
        #expect(sandbox.verdict == "application-consistent")
    }

    @Test func `Giving up ends the guard`() throws {
        let sandbox = try sandbox("hold-limit = 5min")
        try addBreakingHook("10-db", to: sandbox, "kill -KILL $$")
        try sandbox.expectFreeze()
        expectSilentSuccess(try sandbox.thaw())
        #expect(sandbox.parts("guard").count == 1)
        expectSilentSuccess(try sandbox.run(["thaw", "--give-up"]))
        #expect(try sandbox.run(["history"]).stdout.contains("10-db"))
        sandbox.expectNothingLeft()
    }

    @Test func `Giving up in an open window thaws first`() throws {
        let sandbox = try sandbox()
        try sandbox.expectFreeze()
        expectSilentSuccess(try sandbox.run(["thaw", "--give-up"]))
        #expect(sandbox.trace.suffix(2) == ["20-other thaw thaw", "10-db thaw thaw"])
        #expect(sandbox.verdict == "application-consistent")
        sandbox.expectNothingLeft()
    }

    @Test func `A rollback that leaves something held says so, and the guard tries again`() throws {
        let sandbox = try sandbox("hold-limit = 1s\non-failure = abort")
        try addBreakingHook("10-db", to: sandbox, "kill -KILL $$")
        try sandbox.addTracingHook("30-fails", then: "[ $1 = thaw ]")
        let freeze = try sandbox.freeze()
        #expect(freeze.status == 1)
        #expect(freeze.stderr.contains("rolled back, but 10-db may still be held"), "\(freeze.stderr)")
        #expect(sandbox.parts("guard").count == 1)
        #expect(try problems(sandbox) == [Self.told])
        mend(sandbox)
        #expect(eventually { thaws(sandbox).last == "10-db thaw recover" && sandbox.parts("guard").isEmpty })
        #expect(try problems(sandbox) == [])
        sandbox.expectNothingLeft()
    }

    @Test func `What the guard cannot thaw it tries again, at growing intervals, and the thaw ends it`() throws {
        let sandbox = try sandbox("hold-limit = 200ms")
        try addBreakingHook("10-db", to: sandbox, "kill -KILL $$")
        try sandbox.expectFreeze()
        #expect(eventually { thaws(sandbox).count >= 3 })
        #expect(thaws(sandbox).allSatisfy { $0.hasSuffix(" expired") })
        #expect(thaws(sandbox, of: "20-other").count == 1)
        #expect(try problems(sandbox).contains(Self.told))
        mend(sandbox)
        try sandbox.expectThaw()
        #expect(sandbox.verdict?.contains("the guard ended the window") == true)
        #expect(sandbox.messages.contains { $0.hasPrefix("the guard tries again to thaw") })
        sandbox.expectNothingLeft()
    }

    @Test func `A rehearsal that leaves something held says so, and a backup goes on`() throws {
        let sandbox = try sandbox("hold-limit = 0")
        try addBreakingHook("10-db", to: sandbox, "kill -KILL $$")
        let rehearsal = try sandbox.run(["rehearse", "--hold", "10ms"])
        #expect(rehearsal.status == 2, "\(rehearsal.stderr)")
        #expect(try problems(sandbox) == [Self.told])
        mend(sandbox)
        try sandbox.expectFreeze()
        #expect(thaws(sandbox) == ["10-db thaw rehearsal", "10-db thaw recover"])
        #expect(try problems(sandbox) == [])
        try sandbox.expectThaw()
        #expect(sandbox.verdict == "application-consistent")
        sandbox.expectNothingLeft()
    }

    @Test func `A thaw without a record keeps what it could not start`() throws {
        let sandbox = try sandbox("hold-limit = 0")
        try sandbox.expectFreeze()
        unlink("\(sandbox.runDirectory)/cycle")
        let busy = try BusyFile(sandbox, "10-db")
        expectSilentSuccess(try sandbox.thaw())
        #expect(try problems(sandbox) == [Self.told])
        busy.end()
        try sandbox.expectThaw()
        #expect(thaws(sandbox).count == 1)
        #expect(try problems(sandbox) == [])
        sandbox.expectNothingLeft()
    }

    // MARK: - Behind another run

    @Test func `A thaw behind a stopped freeze goes on without it`() throws {
        let sandbox = try sandbox("hold-limit = 0\n[hook 30-gate]\ntimeout = 400ms")
        // A hook that is over its limit shows that its program hangs.
        try sandbox.addGatedHook("30-gate", action: "freeze")
        let freeze = try sandbox.start(["freeze"])
        #expect(eventually { sandbox.trace.last == "30-gate freeze freeze" })
        kill(freeze.pid, SIGSTOP)
        expectSilentSuccess(try sandbox.run(["thaw"], within: 20))
        #expect(sandbox.trace.suffix(3) == ["30-gate thaw thaw", "20-other thaw thaw", "10-db thaw thaw"])
        #expect(sandbox.messages.contains { $0.hasPrefix("another freeze or thaw has not gone on for 200ms") })
        #expect(try sandbox.statusObject()["state"] as? String == "thawed")
        kill(freeze.pid, SIGCONT)
        let late = try freeze.wait(within: 20)
        #expect(late.status == 1, "nothing is held any more")
        #expect(late.stderr.contains("a thaw had ended the cycle before the freeze ended"), "\(late.stderr)")
        sandbox.expectNothingLeft()
    }

    @Test func `A thaw waits for another one whose hook takes longer than thaw-timeout, within its limit`() throws {
        let sandbox = try sandbox("hold-limit = 0")
        try sandbox.addTracingHook("10-db", then: "[ $1 = freeze ] || { sleep 1; echo whole; }")
        try sandbox.expectFreeze()
        let first = try sandbox.start(["thaw"])
        #expect(eventually { thaws(sandbox).count == 1 })
        expectSilentSuccess(try sandbox.run(["recover"], within: 20))
        expectSilentSuccess(try first.wait(within: 20))
        #expect(thaws(sandbox).count == 1)
        #expect(sandbox.output(of: "10-db") == ["whole"])
        sandbox.expectNothingLeft()
    }

    // MARK: - What the hook has started

    @Test func `An application that a hanging thaw hook has started lives, and the hook's own processes end`() throws {
        let sandbox = try sandbox("hold-limit = 0\n[hook 10-db]\ntimeout = 500ms")
        // The application leaves the session and the hook's descendants; the other child leaves neither.
        let script = """
            [ $1 = freeze ] && exit 0
            [ ! -e \(sandbox.path)/pid ] || exit 0
            setsid sh -c 'echo $$ >\(sandbox.path)/pid; exec tail -f \(sandbox.path)/pid' >/dev/null 2>&1 &
            sh -c 'echo $$ >\(sandbox.path)/own; exec sleep 1000'
            """
        try sandbox.addTracingHook("10-db", then: script)
        try sandbox.expectFreeze()
        expectSilentSuccess(try sandbox.run(["thaw"], within: 20))
        #expect(sandbox.ending(of: "10-db", "thaw")?.contains("time limit of 500ms exceeded") == true)
        func pid(_ name: String) throws -> pid_t {
            try #require(pid_t(Files.text(of: "\(sandbox.path)/\(name)").filter(\.isNumber)))
        }
        #expect(try !Processes.isAlive(pid("own")))
        #expect(try Processes.isAlive(pid("pid")))
        try sandbox.expectThaw()
        #expect(try Processes.isAlive(pid("pid")))
        sandbox.destroy(try pid("pid"))
        sandbox.expectNothingLeft()
    }
}
