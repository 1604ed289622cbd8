// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestSupport
import Testing

/// `rehearse`: a whole cycle of the hooks that no backup takes for its own.
@Suite struct RehearsalTests {
    private func object(_ text: String) throws -> [String: Any] {
        try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any], "\(text)")
    }

    private func history(_ sandbox: Sandbox) throws -> [[String: Any]] {
        let object = try object(try sandbox.run(["history", "--json"]).stdout)
        return try #require(object["cycles"] as? [[String: Any]])
    }

    private func expectNothingLeft(_ sandbox: Sandbox, sourceLocation: SourceLocation = #_sourceLocation) {
        #expect(sandbox.isQuiet(), "\(sandbox.processes().map(Processes.commandLine))", sourceLocation: sourceLocation)
        #expect((try? Files.names(in: sandbox.runDirectory)) == [], sourceLocation: sourceLocation)
        #expect(!Files.exists("\(sandbox.stateDirectory)/image"), sourceLocation: sourceLocation)
    }

    /// Waits until the trace has so many calls.
    private func awaitCalls(_ count: Int, _ sandbox: Sandbox) throws {
        guard eventually(within: 30, { sandbox.trace.count >= count }) else {
            throw TestFailure("only \(sandbox.trace); log: \(sandbox.log)")
        }
    }

    /// Waits until the freeze has ended: the lock is free behind it.
    private func awaitHold(_ sandbox: Sandbox) throws {
        let isHeld = eventually(within: 30) {
            let directory = open(sandbox.runDirectory, O_RDONLY | O_DIRECTORY)
            defer { close(directory) }
            return Files.text(of: "\(sandbox.runDirectory)/cycle").contains("moment\tfrozen")
                && flock(directory, LOCK_EX | LOCK_NB) == 0
        }
        guard isHeld else { throw TestFailure("it does not hold: \(sandbox.log)") }
    }

    // MARK: - A whole cycle

    @Test func `Every hook is prepared, frozen and thawed with the reason rehearsal`() throws {
        let sandbox = try Sandbox()
        try sandbox.addTracingHook("10-a")
        let prepares = "#!/bin/sh\n# fsfreeze-hook: prepare = yes\n" + sandbox.tracing().dropFirst("#!/bin/sh\n".count)
        try sandbox.addHook("20-b", prepares)
        let result = try sandbox.run(["rehearse", "--hold", "200ms", "--json"])
        #expect(result.status == 0 && result.stderr == "")
        #expect(
            sandbox.trace == [
                "20-b prepare rehearsal", "10-a freeze rehearsal", "20-b freeze rehearsal", "20-b thaw rehearsal",
                "10-a thaw rehearsal",
            ])
        let cycle = try object(result.stdout)
        #expect(cycle["reason"] as? String == "rehearsal")
        #expect(cycle["verdict"] as? String == "application-consistent")
        let hold = try #require(cycle["hold_seconds"] as? Double)
        #expect(hold >= 0.2 && hold < 30)
        let hooks = try #require(cycle["hooks"] as? [[String: Any]])
        #expect(hooks.map { $0["reason"] as? String } == Array(repeating: "rehearsal", count: 5))
        #expect(try history(sandbox).map { $0["id"] as? String } == [cycle["id"] as? String])
        #expect(try history(sandbox).first?["reason"] as? String == "rehearsal")
        let id = try #require(cycle["id"] as? String)
        #expect(sandbox.messages.contains("rehearsal \(id): no filesystem will be frozen"))
        #expect(
            sandbox.messages.contains { $0.hasPrefix("thawed: 2 hooks, 0 failed") && $0.contains("(rehearsal \(id))") })
        expectNothingLeft(sandbox)
    }

    @Test func `While it holds, status says that it is a rehearsal, and no image marker lies there`() throws {
        let sandbox = try Sandbox()
        try sandbox.addTracingHook("10-a")
        let rehearsal = try sandbox.start(["rehearse", "--hold", "60s"])
        try awaitCalls(1, sandbox)
        let isFrozen = try eventually(within: 20) {
            let status = try object(try sandbox.run(["status", "--json"]).stdout)
            return status["state"] as? String == "frozen" && status["rehearsing"] as? Bool == true
        }
        #expect(isFrozen)
        #expect(try sandbox.run(["status"]).stdout.contains(", a rehearsal"))
        #expect(!Files.exists("\(sandbox.stateDirectory)/image"))
        let second = try sandbox.run(["rehearse"])
        #expect(second.status == 75 && second.stderr.contains("the rehearsal "))
        rehearsal.kill(SIGTERM)
        let result = try rehearsal.wait()
        #expect(result.status == 2)
        #expect(result.stdout.contains("interrupted by SIGTERM after a hold of"))
        #expect(sandbox.trace == ["10-a freeze rehearsal", "10-a thaw rehearsal"])
        expectNothingLeft(sandbox)
    }

    @Test func `A failing hook is shown with its words, and the status is 2`() throws {
        let sandbox = try Sandbox()
        try sandbox.addHook("10-bad", "echo access denied; exit 3")
        try sandbox.addHook("20-off", "exit 77")
        let result = try sandbox.run(["rehearse", "--hold", "10ms"])
        #expect(result.status == 2 && result.stderr == "")
        #expect(result.stdout.contains("    10-bad: access denied\n"))
        #expect(result.stdout.contains("freeze 20-off: nothing to do here\n"))
        #expect(result.stdout.contains("\n! 10-bad"))
        #expect(result.stdout.contains("\nverdict  crash-consistent\n         - 10-bad finished with status=3\n"))
        #expect(!result.stdout.contains("\u{1b}") && !result.stdout.contains("\r"))
    }

    @Test func `A required hook that fails rolls it back`() throws {
        let sandbox = try Sandbox()
        try sandbox.configure("[hook b]\nrequired = yes")
        try sandbox.addTracingHook("10-a")
        try sandbox.addTracingHook("20-b", then: "[ $1 = thaw ]")
        let result = try sandbox.run(["rehearse", "--hold", "60s"])
        #expect(result.status == 2)
        #expect(
            sandbox.trace == [
                "10-a freeze rehearsal", "20-b freeze rehearsal", "20-b thaw rollback", "10-a thaw rollback",
            ])
        #expect(try history(sandbox).first?["reason"] as? String == "rehearsal")
        expectNothingLeft(sandbox)
    }

    @Test func `Without a hook it says so`() throws {
        let sandbox = try Sandbox()
        let result = try sandbox.run(["rehearse", "--hold", "10ms"])
        #expect(result.status == 2)
        #expect(result.stdout.contains("\n  window ") && result.stdout.contains("- no hook ran"))
        expectNothingLeft(sandbox)
    }

    @Test func `A broken configuration and an unusable run directory are errors`() throws {
        let sandbox = try Sandbox()
        try sandbox.addTracingHook("10-a")
        try Files.write("", to: sandbox.runDirectory)
        let noDirectory = try sandbox.run(["rehearse"])
        #expect(noDirectory.status == 73 && noDirectory.stderr.contains(sandbox.runDirectory))
        unlink(sandbox.runDirectory)
        try sandbox.configure("colour = red")
        #expect(try sandbox.run(["rehearse"]).status == 65)
        #expect(sandbox.trace == [])
    }

    // MARK: - Beside real cycles

    @Test func `It is refused while a cycle is open or the agent holds the filesystems`() throws {
        let sandbox = try Sandbox()
        try sandbox.addTracingHook("10-a")
        try sandbox.expectFreeze()
        sandbox.clearTrace()
        let refused = try sandbox.run(["rehearse", "--json"])
        #expect(refused.status == 75 && refused.stdout == "" && refused.stderr.contains("has not ended"))
        #expect(sandbox.trace == [])
        #expect(Files.exists("\(sandbox.stateDirectory)/image"))
        try sandbox.expectThaw()
        sandbox.clearTrace()
        try Files.write("", to: sandbox.agentState)
        let frozen = try sandbox.run(["rehearse"])
        #expect(frozen.status == 75 && frozen.stderr.contains("qemu-ga holds the filesystems"))
        #expect(sandbox.trace == [])
    }

    @Test func `It is refused while a freeze or a thaw is at work`() throws {
        let sandbox = try Sandbox()
        try sandbox.addTracingHook("10-a", then: "until [ -e \(sandbox.path)/gate ]; do sleep 0.01; done")
        let freeze = try sandbox.start(["freeze"])
        try awaitCalls(1, sandbox)
        #expect(try sandbox.run(["rehearse"]).status == 75)
        try Files.write("", to: "\(sandbox.path)/gate")
        expectSilentSuccess(try freeze.wait())
        try sandbox.expectThaw()
    }

    @Test func `A backup that comes in the hold goes first, and its cycle is left alone`() throws {
        let sandbox = try Sandbox()
        try sandbox.addTracingHook("10-a")
        let rehearsal = try sandbox.start(["rehearse", "--hold", "60s", "--json"])
        let isHolding = eventually(within: 30) { sandbox.messages.contains { $0.hasPrefix("frozen: ") } }
        #expect(isHolding)
        try sandbox.expectFreeze()
        let result = try rehearsal.wait()
        #expect(result.status == 2)
        #expect(try object(result.stdout)["reason"] as? String == "rehearsal")
        let calls = sandbox.trace.map { $0.split(separator: " ").dropFirst().joined(separator: " ") }
        #expect(calls.first == "freeze rehearsal" && calls.last == "freeze freeze" && calls.count == 3, "\(calls)")
        let status = try object(try sandbox.run(["status", "--json"]).stdout)
        #expect(status["state"] as? String == "frozen" && status["rehearsing"] == nil)
        #expect(Files.exists("\(sandbox.stateDirectory)/image"))
        try sandbox.expectThaw()
        #expect(try sandbox.run(["status"]).status == 0)
        expectNothingLeft(sandbox)
    }

    @Test func `A backup that comes in the freeze of a rehearsal interrupts it`() throws {
        let sandbox = try Sandbox()
        // The rehearsal's call would take longer than the backup waits.
        let slow = "[ $FSFREEZE_REASON$1 != rehearsalfreeze ] || exec sleep 100"
        try sandbox.addTracingHook("10-a", then: slow)
        let rehearsal = try sandbox.start(["rehearse", "--json"])
        try awaitCalls(1, sandbox)
        try sandbox.expectFreeze()
        #expect(try rehearsal.wait().status == 2)
        #expect(sandbox.trace == ["10-a freeze rehearsal", "10-a thaw rollback", "10-a freeze freeze"])
        try sandbox.expectThaw()
        expectNothingLeft(sandbox)
    }

    @Test func `It calls no hook again that another thaw has called, although the history does not know yet`() throws {
        let sandbox = try Sandbox()
        try sandbox.addTracingHook("10-a")
        let rehearsal = try sandbox.start(["rehearse", "--hold", "60s"])
        try awaitHold(sandbox)
        let record = "\(sandbox.runDirectory)/cycle"
        // As that thaw leaves it, and a third one removes it.
        let file = try #require(fopen(record, "a"))
        fputs("moment\tthawing\t1\t1\nmoment\tthawed\t2\t2\nmoment\tended\t3\t3\n", file)
        fclose(file)
        #expect(unlink(record) == 0)
        _ = try rehearsal.wait()
        #expect(sandbox.trace == ["10-a freeze rehearsal"])
    }

    @Test func `A thaw that comes in the hold ends it`() throws {
        let sandbox = try Sandbox()
        try sandbox.addTracingHook("10-a")
        let rehearsal = try sandbox.start(["rehearse", "--hold", "60s"])
        #expect(eventually(within: 30) { sandbox.messages.contains { $0.hasPrefix("frozen: ") } })
        try sandbox.expectThaw()
        let result = try rehearsal.wait()
        #expect(result.status == 2 && result.stdout.contains("- the rehearsal was ended before its time"))
        #expect(sandbox.trace == ["10-a freeze rehearsal", "10-a thaw thaw"])
        expectNothingLeft(sandbox)
    }

    @Test func `When its record is lost, every hook is thawed all the same`() throws {
        let sandbox = try Sandbox()
        try sandbox.addTracingHook("10-a")
        let rehearsal = try sandbox.start(["rehearse", "--hold", "60s"])
        try awaitHold(sandbox)
        unlink("\(sandbox.runDirectory)/cycle")
        let result = try rehearsal.wait()
        #expect(result.status == 2 && result.stdout.contains("the rehearsal's record was lost"))
        #expect(sandbox.trace == ["10-a freeze rehearsal", "10-a thaw rehearsal"])
    }

    @Test func `It counts neither as the last backup nor for Nagios`() throws {
        let sandbox = try Sandbox()
        try sandbox.addHook("10-a", "exit 3")
        try sandbox.expectFreeze()
        try sandbox.expectThaw()
        try sandbox.addHook("10-a", "exit 0")
        #expect(try sandbox.run(["rehearse", "--hold", "10ms"]).status == 0)
        let status = try sandbox.run(["status", "--json"])
        #expect(status.status == 2)
        let last = try object(status.stdout)["last"] as? [String: Any]
        let rehearsal = try object(status.stdout)["rehearsal"] as? [String: Any]
        #expect(last?["reason"] as? String == "thaw" && rehearsal?["reason"] as? String == "rehearsal")
        #expect(try sandbox.run(["status", "--nagios"]).status == 2)
        try sandbox.expectFreeze()
        try sandbox.expectThaw()
        try sandbox.addHook("10-a", "exit 3")
        #expect(try sandbox.run(["rehearse", "--hold", "10ms"]).status == 2)
        #expect(try sandbox.run(["status"]).status == 0)
        #expect(try sandbox.run(["status", "--nagios"]).status == 0)
    }

    // MARK: - Ends of many kinds

    @Test func `Ctrl-C thaws at once`() throws {
        let sandbox = try Sandbox()
        try sandbox.addTracingHook("10-a")
        let terminal = try Pseudoterminal(columns: 80)
        let command = [sandbox.program, "rehearse", "--hold", "60s"] + sandbox.options
        let child = try sandbox.startCommand(command, environment: ["TERM": "xterm"], on: terminal)
        #expect(eventually(within: 30) { terminal.text.contains("hold 0.") })
        // A rehearsal that Ctrl-Z stops would leave the application held.
        terminal.type("\u{1a}")
        terminal.type("\u{3}")
        let hasEnded = eventually(within: 30) {
            _ = terminal.text
            return !child.isRunning
        }
        #expect(hasEnded)
        #expect(try child.wait(within: 1).status == 2)
        #expect(terminal.text.contains("interrupted by SIGINT"))
        #expect(sandbox.trace == ["10-a freeze rehearsal", "10-a thaw rehearsal"])
        expectNothingLeft(sandbox)
    }

    @Test(arguments: [false, true])
    func `Killed, its guard thaws at once`(inHold: Bool) throws {
        let sandbox = try Sandbox()
        try sandbox.addTracingHook("10-a", then: inHold ? "" : "[ $1 = thaw ] || sleep 100")
        let rehearsal = try sandbox.start(["rehearse", "--hold", "100s"])
        try awaitCalls(1, sandbox)
        if inHold { #expect(eventually(within: 30) { sandbox.messages.contains { $0.hasPrefix("frozen: ") } }) }
        rehearsal.kill(SIGKILL)
        try awaitCalls(2, sandbox)
        #expect(sandbox.trace == ["10-a freeze rehearsal", "10-a thaw recover"])
        #expect(sandbox.isQuiet(within: 20))
        let cycle = try #require(try history(sandbox).last)
        #expect(cycle["reason"] as? String == "rehearsal" && cycle["verdict"] as? String == "crash-consistent")
        expectNothingLeft(sandbox)
    }

    @Test func `The guard ends a hold that exceeds the limit, and thaws no filesystem`() throws {
        let sandbox = try Sandbox()
        try sandbox.configure("hold-limit = 300ms\nthaw-filesystems = yes")
        try sandbox.addTracingHook("10-a")
        let result = try sandbox.run(["rehearse", "--hold", "100s"])
        #expect(result.status == 2)
        #expect(result.stdout.contains("the guard ended the window at"))
        #expect(sandbox.trace == ["10-a freeze rehearsal", "10-a thaw expired"])
        #expect(!sandbox.log.contains("thawed the filesystems"))
        expectNothingLeft(sandbox)
    }

    // MARK: - On a terminal

    @Test(arguments: [40, 80, 200], [0, 1, 50])
    func `Neither timeline nor progress is wider than the terminal`(columns: Int, hooks: Int) throws {
        let sandbox = try Sandbox()
        for number in 0..<hooks {
            let name = number % 2 == 0 ? "\(10 + number)-a-name-that-is-rather-long-for-a-hook-日本語" : "\(10 + number)-b"
            try sandbox.addHook(name, "exit 0")
        }
        for variables in [["TERM": "xterm", "LANG": "C.UTF-8"], ["TERM": "xterm", "NO_COLOR": "1"], ["TERM": "dumb"]] {
            let terminal = try Pseudoterminal(columns: columns)
            let result = try sandbox.run(["rehearse", "--hold", "50ms"], on: terminal, environment: variables)
            #expect(result.status == (hooks == 0 ? 2 : 0))
            let isColoured = variables["LANG"] != nil
            #expect(result.text.contains("\u{1b}[32m") == isColoured)
            #expect(result.text.contains("\u{1b}") == (variables["TERM"] == "xterm"))
            #expect(result.text.contains("█") == (isColoured && hooks >= 0))
            for line in Screen.lines(result.text) {
                #expect(Screen.width(line) <= columns, "\(columns) columns: \(line)")
            }
            #expect(result.text.contains("window "))
        }
    }

    @Test func `A name of any bytes neither spoils the terminal nor the JSON`() throws {
        let sandbox = try Sandbox()
        for name in NameTests.names { try sandbox.addHook(name.bytes, "#!/bin/sh\nexit 3\n".utf8) }
        let terminal = try Pseudoterminal(columns: 60)
        let result = try sandbox.run(["rehearse", "--hold", "10ms"], on: terminal, environment: ["TERM": "dumb"])
        #expect(result.status == 2)
        #expect(!result.text.unicodeScalars.contains { $0.value < 0x20 && $0 != "\n" })
        for line in Screen.lines(result.text) { #expect(Screen.width(line) <= 60, "\(line)") }
        let names = try object(try sandbox.run(["history", "show", "--json"]).stdout)["hooks"] as? [[String: Any]]
        #expect(Set(names?.compactMap { $0["name"] as? String } ?? []) == Set(NameTests.names.map(\.shown)))
    }
}
