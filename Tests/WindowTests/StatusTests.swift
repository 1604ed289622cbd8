// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestSupport
import Testing

/// The output and exit status of `status` in each state.
@Suite struct StatusTests {
    private func sandbox(_ configuration: String = "") throws -> Sandbox {
        let sandbox = try Sandbox()
        try sandbox.configure("kill-grace = 200ms\n\(configuration)")
        try sandbox.addTracingHook("10-a")
        return sandbox
    }

    private func json(_ sandbox: Sandbox) throws -> String {
        try sandbox.run(["status", "--json"]).stdout.replacing(" ", with: "").replacing("\n", with: "")
    }

    @Test func `The status follows the cycle`() throws {
        let sandbox = try sandbox()
        try sandbox.addHoldingHook("20-db", session: "db")
        #expect(try sandbox.run(["status"]).status == 2, "no cycle yet")
        #expect(!Files.exists(sandbox.runDirectory), "looking makes nothing")
        try sandbox.expectFreeze()
        let frozen = try json(sandbox)
        #expect(frozen.contains("\"state\":\"frozen\""))
        #expect(frozen.contains("\"frozen_since\":\"2"))
        #expect(frozen.contains("\"guard_seconds_left\":299."))
        #expect(frozen.contains("{\"alive\":true,\"hook\":\"20-db\",\"name\":\"db\"}"))
        #expect(try sandbox.run(["status"]).status == 0)
        try sandbox.expectThaw()
        let thawed = try json(sandbox)
        #expect(thawed.contains("\"state\":\"thawed\""))
        for key in ["prepare", "freeze", "hold", "thaw", "window"] { #expect(thawed.contains("\"\(key)_seconds\":0.")) }
        for key in ["id", "reason", "started", "verdict", "guarantee", "reasons", "hooks", "timed_out", "path"] {
            #expect(thawed.contains("\"\(key)\":"), "\(key)")
        }
        #expect(try sandbox.run(["status"]).status == 0)
    }

    @Test func `The status tells of a lost session, a killed guard and a killed freeze`() throws {
        let sandbox = try sandbox()
        try sandbox.addHoldingHook("20-db", session: "db")
        try sandbox.expectFreeze()
        sandbox.destroy(try #require(sandbox.parts("guard").first))
        #expect(try sandbox.run(["status"]).stdout.contains("has been killed"))
        sandbox.destroy(try #require(sandbox.parts("holder").first))
        let result = try sandbox.run(["status"])
        #expect(result.status == 2)
        #expect(result.stdout.contains("db for 20-db: lost"))
        try sandbox.expectThaw()
    }

    @Test func `The status of a wrong configuration is an error with its place`() throws {
        let sandbox = try sandbox("nonsense = 1")
        let result = try sandbox.run(["status"])
        #expect(result.status == 65)
        #expect(result.stderr.contains("fsfreeze-hook.conf:4:1: unknown setting 'nonsense'"), "\(result.stderr)")
    }

    @Test func `The status names each state while it lasts, and is asked without disturbing it`() throws {
        let sandbox = try sandbox()
        try sandbox.addGatedHook("20-freezing", action: "freeze")
        let freeze = try sandbox.start(["freeze"])
        #expect(eventually { sandbox.trace.count == 2 })
        let freezing = try sandbox.statusObject()
        #expect(freezing["state"] as? String == "freezing")
        #expect(freezing["attention"] == nil && freezing["frozen_since"] == nil)
        #expect(try sandbox.run(["status"]).status == 0)
        try sandbox.openGate()
        #expect(try freeze.wait().status == 0)
        #expect(try sandbox.statusObject()["state"] as? String == "frozen")

        unlink("\(sandbox.path)/gate")
        try sandbox.addGatedHook("20-freezing", action: "thaw")
        let thaw = try sandbox.start(["thaw"])
        #expect(eventually { sandbox.trace.count == 3 })
        #expect(try sandbox.statusObject()["state"] as? String == "thawing")
        #expect(try sandbox.run(["status"]).status == 0)
        try sandbox.openGate()
        #expect(try thaw.wait().status == 0)
        #expect(try sandbox.statusObject()["state"] as? String == "thawed")
        #expect(sandbox.trace.count == 4)
        #expect(sandbox.verdict == "application-consistent")
    }

    @Test func `After the guard the status is thawed, and asks for the thaw`() throws {
        let sandbox = try sandbox("hold-limit = 80ms")
        try sandbox.expectFreeze()
        #expect(eventually { sandbox.trace.count == 2 && sandbox.processes().isEmpty })
        let result = try sandbox.run(["status", "--json"])
        #expect(result.status == 2)
        let status = try sandbox.statusObject()
        #expect(status["state"] as? String == "thawed")
        #expect((status["attention"] as? String)?.contains("its thaw has not come: fsfreeze-hook thaw") == true)
        #expect(status["guard_seconds_left"] == nil)
        try sandbox.expectThaw()
        #expect(try sandbox.run(["status"]).status == 2, "the last cycle is not consistent")
        let last = try #require(try sandbox.statusObject()["last"] as? [String: Any])
        #expect(last["verdict"] as? String == "crash-consistent")
        #expect((last["reasons"] as? [String])?.first?.hasPrefix("the guard ended the window at ") == true)
        #expect(try sandbox.statusObject()["attention"] == nil)
    }

    @Test func `A session that was lost does not hide the thaw that is needed after the guard`() throws {
        let sandbox = try sandbox("hold-limit = 1s")
        try sandbox.addHoldingHook("20-db", session: "db")
        try sandbox.expectSilent("freeze")
        sandbox.destroy(try #require(sandbox.parts("holder").first))
        #expect(eventually { (try? sandbox.statusObject()["state"] as? String) == "thawed" })
        let status = try sandbox.statusObject()
        let attentions = try #require(status["attentions"] as? [[String: String]])
        #expect(attentions.map { $0["repair"] } == ["fsfreeze-hook thaw", nil])
        #expect(attentions.map { $0["problem"]?.hasSuffix("too early") } == [false, true])
        #expect((status["attention"] as? String)?.hasSuffix("its thaw has not come: fsfreeze-hook thaw") == true)
        let lines = try sandbox.run(["status"]).stdout.split(separator: "\n").filter { $0.hasPrefix("attention:") }
        #expect(lines.count == 2 && lines.last == "attention:  the session db has ended too early")
        _ = try sandbox.run(["thaw"])
        let last = try #require(try sandbox.statusObject()["last"] as? [String: Any])
        #expect((last["reason_kinds"] as? [String])?.contains("hold-lost") == true)
        #expect((last["reason_kinds"] as? [String])?.contains("guard-expired") == true)
    }

    @Test func `A freeze that was killed asks for its recovery`() throws {
        let sandbox = try sandbox("hold-limit = 0")
        try sandbox.addGatedHook("20-gate", action: "freeze")
        let freeze = try sandbox.start(["freeze"])
        #expect(eventually { sandbox.trace.count == 2 })
        freeze.kill(SIGKILL)
        _ = try freeze.wait()
        #expect(try sandbox.run(["status"]).status == 2)
        #expect((try sandbox.statusObject()["attention"] as? String)?.contains("fsfreeze-hook recover") == true)
        try sandbox.openGate()
        try sandbox.expectSilent("recover")
        #expect(try sandbox.statusObject()["attention"] == nil)
    }

    @Test func `Without a guard nothing is said of its time`() throws {
        let sandbox = try sandbox("hold-limit = 0")
        try sandbox.expectFreeze()
        let status = try sandbox.statusObject()
        #expect(status["state"] as? String == "frozen" && status["guard_seconds_left"] == nil)
        #expect(status["attention"] == nil)
        #expect(try sandbox.run(["status"]).status == 0)
        try sandbox.expectThaw()
    }

    @Test func `The last cycle is told with every hook, and has a line in the history`() throws {
        let sandbox = try sandbox()
        try sandbox.addTracingHook("20-killed", then: "[ $1 = thaw ] || kill -KILL $$")
        try sandbox.expectFreeze()
        let cycle = try #require(sandbox.cycle)
        try sandbox.expectThaw()
        let last = try #require(try sandbox.statusObject()["last"] as? [String: Any])
        #expect(last["id"] as? String == cycle)
        #expect(last["reason"] as? String == "thaw")
        let hooks = try #require(last["hooks"] as? [[String: Any]])
        #expect(hooks.compactMap { $0["name"] as? String } == ["10-a", "20-killed", "20-killed", "10-a"])
        #expect(hooks.compactMap { $0["status"] as? Int } == [0, 137, 0, 0])
        #expect(hooks[1]["signal"] as? Int == 9 && hooks[1]["timed_out"] as? Bool == false)
        #expect(hooks[0]["signal"] == nil)
        #expect(hooks[1]["path"] as? String == "\(sandbox.hookDirectory)/20-killed")
        let line = Files.text(of: "\(sandbox.stateDirectory)/history.jsonl")
        #expect(line.filter { $0 == "\n" }.count == 1 && line.hasSuffix("\n"))
        let kept = try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? NSDictionary)
        #expect(kept == NSDictionary(dictionary: last))
    }

    @Test func `The history is kept within its limit`() throws {
        let sandbox = try sandbox("history-limit = 3")
        for _ in 0..<8 {
            try sandbox.expectFreeze()
            try sandbox.expectThaw()
        }
        let lines = Files.text(of: "\(sandbox.stateDirectory)/history.jsonl").split(separator: "\n")
        #expect((3...6).contains(lines.count))
        let last = try #require(try sandbox.statusObject()["last"] as? [String: Any])
        #expect(lines.last?.contains(try #require(last["id"] as? String)) == true)
    }
}
