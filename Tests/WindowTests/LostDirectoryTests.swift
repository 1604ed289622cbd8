// SPDX-License-Identifier: Apache-2.0

import Glibc
import TestSupport
import Testing

/// Somebody removes the run directory, or its files, in the window.
@Suite struct LostDirectoryTests {
    private func sandbox(_ limit: String) throws -> Sandbox {
        let sandbox = try Sandbox()
        try sandbox.configure("kill-grace = 200ms\nhold-limit = \(limit)")
        try sandbox.addHoldingHook("10-db", session: "db")
        try sandbox.addTracingHook("20-b")
        return sandbox
    }

    private func remove(_ what: String, of sandbox: Sandbox) throws {
        #expect(try sandbox.runCommand(["/bin/sh", "-c", "rm -rf \(sandbox.runDirectory)\(what)"]).status == 0)
    }

    private static let thawed = ["20-b thaw thaw", "10-db thaw thaw"]

    @Test(arguments: ["5min", "0"], ["", "/*"])
    func `The thaw ends the session and the guard, and the verdict says what is lost`(
        limit: String, what: String
    ) throws {
        let sandbox = try sandbox(limit)
        try sandbox.expectFreeze()
        #expect(sandbox.isLocked("db"))
        // The clock ticks of /proc/PID/stat tell the processes of the window from the thaw.
        usleep(30_000)
        try remove(what, of: sandbox)
        _ = try sandbox.thaw()
        #expect(sandbox.trace.suffix(2) == Self.thawed[...])
        #expect(!sandbox.isLocked("db"))
        #expect(sandbox.messages.contains { $0.contains("somebody has removed files of the run directory") })
        if limit != "0" {
            #expect(sandbox.verdict?.contains("the cycle's record was lost in the window") == true, "\(sandbox.log)")
        }
        sandbox.expectNothingLeft()
    }

    @Test func `The status does not show the cycle before as if it were this one`() throws {
        let sandbox = try sandbox("5min")
        try sandbox.expectFreeze()
        try sandbox.expectThaw()
        #expect(try sandbox.run(["status", "--nagios", "--max-age", "26h"]).status == 0)
        try sandbox.expectFreeze()
        try remove("/cycle", of: sandbox)
        let nagios = try sandbox.run(["status", "--nagios", "--max-age", "26h"])
        #expect(nagios.status == 2)
        #expect(nagios.stdout.contains("may be open, and its record is lost: fsfreeze-hook thaw"), "\(nagios.stdout)")
        let text = try sandbox.run(["status"])
        #expect(text.status == 2 && text.stdout.contains("attention:  the window of cycle "), "\(text.stdout)")
        let status = try sandbox.statusObject()
        #expect(status["state"] as? String == "frozen")
        let attentions = try #require(status["attentions"] as? [[String: String]])
        #expect(attentions.map { $0["repair"] } == ["fsfreeze-hook thaw"])
        _ = try sandbox.thaw()
        #expect(try sandbox.statusObject()["attention"] == nil)
        #expect(sandbox.verdict?.contains("the cycle's record was lost in the window") == true, "\(sandbox.log)")
        sandbox.expectNothingLeft()
    }

    @Test func `The thaw ends them when the directory cannot be used any more`() throws {
        let sandbox = try sandbox("5min")
        try sandbox.expectFreeze()
        usleep(30_000)
        chmod(sandbox.runDirectory, 0o777)
        defer { chmod(sandbox.runDirectory, 0o700) }
        _ = try sandbox.thaw()
        #expect(sandbox.trace.suffix(2) == Self.thawed[...])
        #expect(!sandbox.isLocked("db"))
        #expect(sandbox.isQuiet(), "\(sandbox.processes().map(Processes.commandLine))")
    }

    @Test func `Without a thaw the guard thaws once, ends its session and leaves`() throws {
        let sandbox = try sandbox("300ms")
        try sandbox.expectFreeze()
        try remove("", of: sandbox)
        #expect(eventually(within: 10) { sandbox.trace.contains("10-db thaw expired") })
        #expect(sandbox.isQuiet(), "\(sandbox.processes().map(Processes.commandLine))")
        #expect(!sandbox.isLocked("db"))
        #expect(sandbox.trace.count { $0.hasPrefix("20-b thaw") } == 1)
        _ = try sandbox.thaw()
        #expect(sandbox.verdict?.hasPrefix("crash-consistent: ") == true, "\(sandbox.log)")
        sandbox.expectNothingLeft()
    }

    @Test(arguments: ["", "/*"], [true, false])
    func `The next freeze ends the session of the lost window`(what: String, recovers: Bool) throws {
        let sandbox = try sandbox("5min")
        try sandbox.expectFreeze()
        usleep(30_000)
        try remove(what, of: sandbox)
        if recovers { try sandbox.expectSilent("recover") }
        try sandbox.expectFreeze()
        #expect(sandbox.messages.contains { $0.hasPrefix("frozen: 2 hooks, 0 failed") }, "\(sandbox.log)")
        #expect(sandbox.parts("guard").count == 1 && sandbox.parts("holder").count == 1)
        try sandbox.expectThaw()
        #expect(sandbox.verdict == "application-consistent")
        sandbox.expectNothingLeft()
    }

    @Test func `A session of another directory, and one that is reachable, stay`() throws {
        let sandbox = try sandbox("5min")
        let other = try Sandbox()
        for place in [sandbox, other] {
            let command = ["hold", "mine", "--run-dir", place.runDirectory, "--ready", "ready", "--"]
            let client = ["sh", "-c", "echo ready; exec cat"]
            #expect(try place.runCommand([place.program] + command + client).status == 0)
        }
        usleep(30_000)
        _ = try sandbox.thaw()
        for place in [sandbox, other] {
            #expect(place.parts("holder").count == 1)
            let release = [place.program, "release", "mine", "--run-dir", place.runDirectory]
            #expect(try place.runCommand(release).status == 0)
        }
    }

    @Test func `A setuid program that a user calls with a guard's arguments is none`() throws {
        let sandbox = try sandbox("5min")
        let directory = sandbox.path
        chmod(directory, 0o755)
        // cat waits for a writer of the FIFO that its first argument names.
        try Files.write(try #require(Files.bytes(of: "/bin/cat")), to: Array("\(directory)/cat".utf8), mode: 0o4755)
        chmod("\(directory)/cat", 0o4755)
        #expect(mkfifo("\(directory)/guard", 0o600) == 0)
        let user = ["setpriv", "--reuid=4711", "--regid=4711", "--clear-groups"]
        let arguments = ["guard", "made\nup", "", "", "", sandbox.runDirectory, "", ""]
        let child = try ChildProcess(
            user + ["sh", "-c", "cd \(directory) && exec ./cat \"$@\"", "sh"] + arguments,
            environment: ["PATH": "/usr/sbin:/usr/bin:/sbin:/bin"])
        defer {
            child.kill(SIGKILL)
            _ = try? child.wait(within: 10)
        }
        var owner = stat()
        #expect(
            eventually(within: 10) {
                Processes.commandLine(of: child.pid).contains("cat guard") && stat("/proc/\(child.pid)", &owner) == 0
                    && owner.st_uid == 0
            })
        usleep(30_000)
        _ = try sandbox.thaw()
        #expect(Processes.isAlive(child.pid))
        #expect(sandbox.messages.contains { $0.hasSuffix("(no cycle)") }, "\(sandbox.log)")
    }

    /// Without a guard only the marker tells of the window.
    @Test(arguments: ["freeze", "rehearse"])
    func `What the lost window held is thawed with the next cycle, also a killed one`(next: String) throws {
        let sandbox = try Sandbox()
        try sandbox.configure("kill-grace = 200ms\nhold-limit = 0")
        try sandbox.addTracingHook("10-a")
        try sandbox.addGatedHook("20-gate", action: "freeze")
        try sandbox.openGate()
        try sandbox.expectFreeze()
        unlink("\(sandbox.path)/gate")
        try remove("", of: sandbox)
        // Only the hooks of the lost window were called.
        rename("\(sandbox.hookDirectory)/10-a", "\(sandbox.hookDirectory)/30-a")
        try sandbox.addTracingHook("10-a", then: "[ $1 = thaw ] || kill -9 $PPID")
        let call = try sandbox.run([next])
        #expect(call.signal == SIGKILL)
        sandbox.clearTrace()
        try sandbox.expectThaw()
        #expect(sandbox.trace.contains("20-gate thaw thaw"), "\(sandbox.trace)")
        #expect(sandbox.verdict?.hasPrefix("crash-consistent: ") == true)
        sandbox.expectNothingLeft()
    }
}
