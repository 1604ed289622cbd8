// SPDX-License-Identifier: Apache-2.0

import Foundation
import Glibc
import TestSupport
import Testing

/// Freezes and thaws that a real qemu-ga asks for.
@Suite(.timeLimit(.minutes(5))) struct AgentTests {
    @Test func `Hooks freeze in order and thaw in reverse, as one cycle`() throws {
        let guest = try AgentGuest()
        try guest.hook("10-first")
        try guest.hook("20-second", "echo \"words of $1\"")
        let agent = try guest.startAgent()

        let frozen = try agent.freeze()
        #expect(frozen.number == 0, "\(frozen.json)")
        #expect(guest.calls == ["10-first freeze freeze", "20-second freeze freeze"])
        let thawed = try agent.thaw()
        #expect(thawed.number == 0, "\(thawed.json)")
        #expect(guest.calls.dropFirst(2) == ["20-second thaw thaw", "10-first thaw thaw"])

        let cycles = Set(guest.callsWithCycle.map(\.cycle))
        let cycle = try #require(cycles.first)
        #expect(cycles.count == 1, "the freeze and its thaw have one id")
        #expect(UUID(uuidString: cycle) != nil)

        let hook = guest.path("fsfreeze-hook.d/20-second")
        let lines = guest.logLines
        #expect(lines.contains("execute \(hook) freeze"))
        #expect(lines.contains("20-second: words of freeze"))
        #expect(lines.contains("20-second: words of thaw"))
        #expect(lines.count { $0.hasPrefix("\(hook) finished with status=0 in ") } == 2)
        #expect(lines.contains { $0.hasPrefix("frozen: 2 hooks, 0 failed, in ") && $0.hasSuffix("(cycle \(cycle))") })
        #expect(
            lines.contains {
                $0.hasPrefix("thawed: 2 hooks, 0 failed, in ")
                    && $0.contains("(cycle \(cycle)): application-consistent, as far as ")
            })
    }

    @Test(arguments: AgentKind.allCases)
    func `A failed freeze freezes nothing`(kind: AgentKind) throws {
        let guest = try AgentGuest(configuration: "on-failure = abort")
        try guest.hook("10-first")
        try guest.hook("20-bad", "[ $1 = thaw ] || exit 3")
        try guest.hook("30-last")
        let agent = try guest.startAgent(kind)

        let answer = try agent.freeze()
        #expect(answer.error == "fsfreeze hook has failed with status 1", "\(answer.json)")
        let wanted = [
            "10-first freeze freeze", "20-bad freeze freeze", "20-bad thaw rollback", "10-first thaw rollback",
        ]
        #expect(guest.calls == wanted)
        #expect(try agent.status() == "thawed")
        #expect(try agent.answersPing())
        #expect(guest.calls == wanted, "the agent calls no thaw of its own after a failed freeze")
        #expect(
            guest.logLines.contains { line in
                line.contains("20-bad") && (line.contains("rolling back") || line.contains("rolled back"))
            }, "\(guest.log)")

        try guest.hook("20-bad")
        #expect(try agent.freeze().number == 0, "the next freeze works once the hook is repaired")
        #expect(try agent.thaw().number == 0)
    }

    @Test func `A failed freeze says why in one line`() throws {
        let guest = try AgentGuest(configuration: "on-failure = abort")
        try guest.hook("10-first", "echo much; echo more >&2")
        try guest.hook("20-bad", "echo 'no such table' >&2; exit 3")
        let agent = try guest.startPipeAgent()

        #expect(try agent.freeze().error != nil)
        let line = try #require(guest.said.split(separator: "\n").first)
        #expect(guest.said.split(separator: "\n").count == 1, "\(guest.said)")
        #expect(line.hasPrefix("fsfreeze-hook: "))
        #expect(line.contains("20-bad"))
        #expect(line.contains("3"), "the status is named: \(line)")
        #expect(line.contains(/[0-9]\.[0-9]+ s/), "the time it took is named: \(line)")
    }

    @Test func `A required hook fails the freeze whatever the policy`() throws {
        let guest = try AgentGuest(configuration: "[hook second]\nrequired = yes")
        try guest.hook("10-first", "exit 4")
        try guest.hook("20-second", "[ $1 = thaw ] || kill -SEGV $$")
        let agent = try guest.startAgent()

        #expect(try agent.freeze().error == "fsfreeze hook has failed with status 1")
        #expect(
            guest.calls == [
                "10-first freeze freeze", "20-second freeze freeze", "20-second thaw rollback",
                "10-first thaw rollback",
            ])
        #expect(try agent.answersPing())
    }

    @Test func `A failing hook does not stop the freeze by default`() throws {
        let guest = try AgentGuest()
        try guest.hook("10-bad", "exit 3")
        try guest.hook("20-good")
        let agent = try guest.startAgent()

        #expect(try agent.freeze().number == 0)
        #expect(try agent.thaw().number == 0, "a thaw never fails the host's snapshot")
        #expect(
            guest.calls == [
                "10-bad freeze freeze", "20-good freeze freeze", "20-good thaw thaw", "10-bad thaw thaw",
            ])
        #expect(guest.logLines.contains { $0.hasPrefix("frozen: 2 hooks, 1 failed, in ") })
    }

    @Test func `A thaw without a freeze calls every hook`() throws {
        let guest = try AgentGuest(configuration: "on-failure = abort")
        try guest.hook("10-first")
        try guest.hook("20-second")
        let agent = try guest.startAgent()

        #expect(try agent.thaw().number == 0)
        #expect(guest.calls == ["20-second thaw thaw", "10-first thaw thaw"])
        #expect(guest.logLines.contains { $0.hasPrefix("thawed: 2 hooks, 0 failed, in ") && $0.contains("no cycle") })
    }

    @Test func `A second thaw calls every hook again`() throws {
        let guest = try AgentGuest()
        try guest.hook("10-first")
        try guest.hook("20-second")
        let agent = try guest.startAgent()

        #expect(try agent.freeze().number == 0)
        #expect(try agent.thaw().number == 0)
        try guest.forgetCalls()
        #expect(try agent.thaw().number == 0)
        #expect(
            guest.calls == ["20-second thaw thaw", "10-first thaw thaw"], "a second thaw must do no harm, and runs")
    }

    // An agent that froze no filesystem does not call a thaw and takes the next freeze.
    @Test func `A second freeze thaws the first`() throws {
        let guest = try AgentGuest()
        try guest.hook("10-first")
        try guest.hook("20-second")
        let agent = try guest.startAgent()

        #expect(try agent.freeze().number == 0)
        let lost = try #require(guest.callsWithCycle.first?.cycle)
        #expect(try agent.freeze().number == 0)
        #expect(
            guest.calls == [
                "10-first freeze freeze", "20-second freeze freeze", "20-second thaw recover", "10-first thaw recover",
                "10-first freeze freeze", "20-second freeze freeze",
            ])
        #expect(guest.callsWithCycle[2].cycle == lost, "the recovery belongs to the lost cycle")
        #expect(guest.callsWithCycle[4].cycle != lost, "the second freeze is a cycle of its own")
        #expect(guest.logLines.contains { $0.contains("unfinished cycle \(lost)") })
    }

    @Test func `A freeze is refused while the agent is frozen`() throws {
        let guest = try AgentGuest()
        try guest.hook("10-first")
        let agent = try guest.startAgent()
        #expect(try agent.freeze().number == 0)
        try guest.forgetCalls()

        // An agent with the default state directory leaves this file while filesystems are frozen.
        let marker = guest.namespace.path("/run/qga.state.isfrozen")
        try Files.write("", to: marker)
        let answer = try agent.freeze()
        #expect(answer.error == "fsfreeze hook has failed with status 75", "\(answer.json)")
        #expect(guest.calls == [], "the frozen applications are left alone")

        unlink(marker)
        #expect(try agent.thaw().number == 0)
        #expect(guest.calls == ["10-first thaw thaw"])
    }

    @Test func `An agent that is restarted in between thaws`() throws {
        let guest = try AgentGuest()
        try guest.hook("10-first")
        try guest.hook("20-second")
        let first = try guest.startAgent()
        #expect(try first.freeze().number == 0)
        try first.stop()
        // A hook that comes between freeze and thaw was never frozen, and is not thawed.
        try guest.hook("15-new")

        let second = try guest.startAgent()
        #expect(try second.thaw().number == 0)
        #expect(
            guest.calls == [
                "10-first freeze freeze", "20-second freeze freeze", "20-second thaw thaw", "10-first thaw thaw",
            ])
        #expect(Set(guest.callsWithCycle.map(\.cycle)).count == 1)
    }

    @Test func `An agent that starts frozen thaws`() throws {
        let guest = try AgentGuest()
        try guest.hook("10-first")
        let first = try guest.startAgent()
        #expect(try first.freeze().number == 0)
        try first.stop()

        let marker = guest.namespace.path("/run/qga.state.isfrozen")
        try Files.write("", to: marker)
        let second = try guest.startAgent(state: "/run")
        #expect(try second.status() == "frozen")
        let answer = try second.thaw()
        #expect(answer.number == 0, "\(answer.json)")
        #expect(guest.calls == ["10-first freeze freeze", "10-first thaw thaw"])
        #expect(try second.status() == "thawed")
    }

    @Test(arguments: ["option", "file"])
    func `An agent with a state directory of its own is not believed thawed`(place: String) throws {
        let guest = try AgentGuest()
        try guest.hook("10-first")
        let state = "/run/agent-state"
        try Files.makeDirectory(guest.namespace.path(state))
        let first = try guest.startAgent()
        #expect(try first.freeze().number == 0)
        try first.stop()

        // The file that an agent leaves while filesystems are frozen: it starts frozen.
        let marker = guest.namespace.path("\(state)/qga.state.isfrozen")
        try Files.write("", to: marker)
        let second = try guest.startAgent(state: state, in: place == "file" ? guest.path("agent.conf") : nil)
        #expect(try second.status() == "frozen")
        let recover = try guest.namespace.run([guest.hookPath, "recover"])
        #expect(recover.status == 0)
        #expect(recover.stderr.contains("is left alone"), "\(recover)")
        #expect(guest.calls == ["10-first freeze freeze"], "nothing is thawed in mid-window")
        #expect(try guest.namespace.run([guest.hookPath, "freeze"]).status == 75)
        #expect(try guest.namespace.run([guest.hookPath, "rehearse"]).status == 75)

        #expect(try second.thaw().number == 0)
        #expect(guest.calls == ["10-first freeze freeze", "10-first thaw thaw"])
        #expect(!Files.exists(marker))
        let rehearsal = try guest.namespace.run([guest.hookPath, "rehearse", "--hold", "10ms"])
        #expect(rehearsal.status == 0, "\(rehearsal)")
    }

    // The client that holds a database lock keeps the hook's output open from freeze to thaw.
    @Test(arguments: AgentKind.allCases)
    func `A background child delays nothing`(kind: AgentKind) throws {
        let guest = try AgentGuest()
        try guest.hook(
            "10-holder",
            """
            if [ $1 = freeze ]; then
                (until [ -e speak ]; do sleep 0.01; done; echo 'words from the background'; touch spoken; exec sleep 300) &
                echo $! >holder
            fi
            """)
        let agent = try guest.startAgent(kind)

        let frozen = try agent.freeze()
        #expect(frozen.number == 0)
        #expect(frozen.seconds < 5, "the child sleeps for five minutes")
        let holder = guest.text(of: "holder").trimmingCharacters(in: .whitespacesAndNewlines)
        try #require(!holder.isEmpty)
        let isRunning = { Files.exists(guest.namespace.path("/proc/\(holder)/cmdline")) }
        #expect(isRunning())

        try guest.touch("speak")
        try wait(for: "the child's words") { guest.exists("spoken") }
        #expect(isRunning(), "writing to its output does not end the child")
        let thawed = try agent.thaw()
        #expect(thawed.number == 0)
        #expect(thawed.seconds < 5)
        #expect(guest.logLines.contains("10-holder (left running): words from the background"), "\(guest.log)")
    }

    @Test(arguments: AgentKind.allCases)
    func `SIGTERM to the agent lets the freeze finish`(kind: AgentKind) throws {
        let guest = try AgentGuest()
        try guest.hook("10-slow", "touch started-$1; until [ -e finish ]; do sleep 0.01; done")
        let agent = try guest.startAgent(kind)

        try agent.sendFreeze()
        try wait(for: "the hook's start") { guest.exists("started-freeze") }
        kill(agent.process, SIGTERM)
        try guest.touch("finish")
        #expect(try agent.receive().number == 0)
        try agent.waitForEnd()

        let next = try guest.startAgent(kind)
        #expect(try next.thaw().number == 0)
        #expect(guest.calls == ["10-slow freeze freeze", "10-slow thaw thaw"])
        #expect(Set(guest.callsWithCycle.map(\.cycle)).count == 1, "the thaw belongs to the interrupted agent's freeze")
    }

    // systemd's default KillMode: everything in the unit's control group gets the signal at once.
    @Test func `SIGTERM to the whole unit rolls the freeze back`() throws {
        let guest = try AgentGuest()
        try guest.hook("10-first")
        try guest.hook("20-slow", "[ $1 = thaw ] && exit 0; touch started; sleep 300 & wait")
        let agent = try guest.startAgent()

        try agent.sendFreeze()
        try wait(for: "the hook's start") { guest.exists("started") }
        let unit = [agent.process] + Processes.descendants(of: agent.process)
        try #require(unit.count >= 4, "the agent, the program, the hook and its sleep")
        for process in unit { kill(process, SIGTERM) }
        let answer = try agent.receive()
        #expect(answer.error == "fsfreeze hook has failed with status 1", "\(answer.json)")
        #expect(answer.seconds < 20)
        try agent.waitForEnd()
        #expect(
            guest.calls == [
                "10-first freeze freeze", "20-slow freeze freeze", "20-slow thaw rollback", "10-first thaw rollback",
            ])

        let next = try guest.startAgent()
        try guest.hook("20-slow")
        try guest.forgetCalls()
        #expect(try next.freeze().number == 0)
        #expect(guest.calls == ["10-first freeze freeze", "20-slow freeze freeze"], "nothing is left to recover")
    }

    @Test(arguments: [0, 1])
    func `The output of hooks does not reach the agent`(status: Int) throws {
        let guest = try AgentGuest(configuration: "on-failure = abort")
        try guest.hook("10-loud", "head -c 30000000 /dev/zero | tr '\\0' x; [ $1 = thaw ] || exit \(status)")
        let agent = try guest.startPipeAgent()

        let answer = try agent.freeze()
        #expect((answer.error == nil) == (status == 0))
        #expect(answer.seconds < 20)
        if status == 0 {
            #expect(guest.said.isEmpty, "\(guest.said.prefix(200))")
        } else {
            #expect(guest.said.utf8.count < 1_000, "one line, whatever the hook printed")
        }
        #expect(guest.log.utf8.count < 300_000, "head and tail of each run, not 30 MB")
        #expect(guest.logLines.contains { $0.hasPrefix("10-loud: [") && $0.contains(" bytes of output dropped") })
    }

    @Test func `The agent hears nothing of a freeze and a thaw that succeed`() throws {
        let guest = try AgentGuest()
        try guest.hook("10-talker", "echo words; echo complaint >&2")
        try guest.hook("20-bad", "echo failing; exit 3")
        try guest.hook("30-absent", "exit 77")
        let agent = try guest.startPipeAgent()

        #expect(try agent.freeze().number == 0)
        #expect(try agent.thaw().number == 0)
        #expect(try agent.thaw().number == 0)
        #expect(guest.said.isEmpty, "an agent of 9.1 can crash on any output: \(guest.said)")
        #expect(guest.calls.count == 9, "the hooks did run")
    }

    @Test func `The agent hears nothing of a thaw hook that fails`() throws {
        let guest = try AgentGuest(configuration: "on-failure = abort")
        try guest.hook("10-first")
        try guest.hook("20-bad", "[ $1 = freeze ] || exit 3")
        let agent = try guest.startPipeAgent()

        #expect(try agent.freeze().number == 0)
        #expect(try agent.thaw().number == 0, "hosts discard a good snapshot after a thaw that fails")
        #expect(guest.calls.suffix(2) == ["20-bad thaw thaw", "10-first thaw thaw"])
        #expect(guest.said.isEmpty, "\(guest.said)")
        #expect(guest.logLines.contains { $0.hasPrefix("thawed: 2 hooks, 1 failed, in ") })
    }

    @Test func `The agent hears nothing of a broken configuration`() throws {
        let guest = try AgentGuest(configuration: "on-failure = maybe")
        try guest.hook("10-first")
        let agent = try guest.startPipeAgent()

        #expect(try agent.freeze().number == 0)
        #expect(try agent.thaw().number == 0)
        #expect(guest.said.isEmpty, "\(guest.said)")
        #expect(guest.calls == ["10-first freeze freeze", "10-first thaw thaw"])
        // The default log takes the place of the configured one, too.
        let log = Files.text(of: guest.namespace.path("/var/log/qga-fsfreeze-hook.log"))
        #expect(log.contains("\(guest.path("fsfreeze-hook.conf")):3:"), "\(log)")
    }

    @Test func `A cycle leaves no process behind`() throws {
        let guest = try AgentGuest()
        try guest.hook("10-first")
        let agent = try guest.startAgent()

        #expect(try agent.freeze().number == 0)
        #expect(try agent.thaw().number == 0)
        #expect(Processes.children(of: agent.process) == [])
        // The namespace's first process is the parent of orphans. The guard ends at the thaw's message.
        let first = guest.namespace.firstProcess
        #expect(eventually(within: 5) { !Processes.descendants(of: first).contains(where: Processes.isAlive) })
    }
}
