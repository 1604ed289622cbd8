// SPDX-License-Identifier: Apache-2.0

import Glibc
import TestSupport
import Testing

/// The record in the run directory is believed as far as it can be true, and never more.
@Suite struct RecordTests {
    private func sandbox(_ configuration: String = "") throws -> Sandbox {
        let sandbox = try Sandbox()
        try sandbox.configure("kill-grace = 200ms\n\(configuration)")
        try sandbox.addTracingHook("10-a")
        return sandbox
    }

    private func forge(_ sandbox: Sandbox, boot: String, pid: pid_t) throws {
        try Files.makeDirectory(sandbox.runDirectory, mode: 0o700)
        let record = """
            cycle\tforged\t\(boot)
            moment\tbegun\t1\t1
            guard\tguard-forged\t\(pid)\t1
            start\tfreeze\tfreeze\t\(sandbox.hookDirectory)/10-a\t\t1\t1
            process\t\(pid)\t1
            hold\tdb\t10-a\t\(pid)\t1
            client\tdb\t\(pid)\t1

            """
        try Files.write(record, to: "\(sandbox.runDirectory)/cycle", mode: 0o600)
    }

    @Test(arguments: ["thaw", "recover", "freeze"])
    func `A stranger with a pid of the record is never signalled`(action: String) throws {
        let sandbox = try sandbox()
        let stranger = try sandbox.startCommand(["sleep", "1000"])
        try forge(sandbox, boot: Boots.this, pid: stranger.pid)
        try sandbox.expectSilent(action)
        #expect(stranger.isRunning)
        #expect(sandbox.trace.first?.hasPrefix("10-a thaw") == true, "\(sandbox.trace)")
        stranger.kill(SIGKILL)
        _ = try stranger.wait()
        try sandbox.expectThaw()
    }

    @Test func `A record of another boot is not believed`() throws {
        let sandbox = try sandbox()
        let stranger = try sandbox.startCommand(["sleep", "1000"])
        try forge(sandbox, boot: Boots.other, pid: stranger.pid)
        #expect(try sandbox.statusObject()["state"] as? String == "thawed")
        try sandbox.expectSilent("recover")
        #expect(sandbox.trace == [])
        try sandbox.expectFreeze()
        #expect(sandbox.trace == ["10-a freeze freeze"])
        #expect(stranger.isRunning)
        stranger.kill(SIGKILL)
        _ = try stranger.wait()
        try sandbox.expectThaw()
        sandbox.expectNothingLeft()
    }

    @Test func `A session with the number of a recorded process is a stranger's`() throws {
        let sandbox = try sandbox()
        let setsid = try Tools.command("setsid", package: "util-linux")
        // The session's leader has the recorded pid, and the session has another member.
        let stranger = try sandbox.startCommand([setsid, "-w", "sh", "-c", "sleep 1000 & sleep 1000"])
        #expect(
            eventually { sandbox.processes().filter { Processes.commandLine(of: $0).hasPrefix("sleep") }.count == 2 })
        let members = sandbox.processes()
        let leader = try #require(members.first { getsid($0) == $0 })
        try forge(sandbox, boot: Boots.this, pid: leader)
        try sandbox.expectThaw()
        #expect(members.allSatisfy(Processes.isAlive))
        members.forEach(sandbox.destroy)
        _ = try stranger.wait()
    }

    /// A program that is killed, and a filesystem that is full, can cut the record at any byte.
    @Test func `A record that is cut anywhere still has all that was begun thawed`() throws {
        let sandbox = try sandbox()
        try sandbox.addTracingHook("20-b")
        try sandbox.expectFreeze()
        let record = try #require(Files.bytes(of: "\(sandbox.runDirectory)/cycle"))
        try sandbox.expectThaw()
        for length in stride(from: record.count, through: 0, by: -17) {
            try Files.write(record.prefix(length), to: Array("\(sandbox.runDirectory)/cycle".utf8), mode: 0o600)
            let text = String(decoding: record.prefix(length), as: UTF8.self)
            let lines = text.split(separator: "\n", omittingEmptySubsequences: false).dropLast()
            let begun = ["10-a", "20-b"].filter { name in
                lines.contains { $0.hasPrefix("start\tfreeze\t") && $0.contains("/\(name)\t") }
            }
            sandbox.clearTrace()
            let result = try sandbox.thaw()
            #expect(result.status == 0, "cut at \(length): \(result.stderr)")
            for name in begun { #expect(sandbox.trace.contains { $0.hasPrefix("\(name) thaw") }, "cut at \(length)") }
        }
        sandbox.expectNothingLeft()
    }

    @Test(arguments: ["", "\n", "garbage", "cycle\tx", "cycle\tx\ty\n\u{1b}[31m\nhold\t\t\t1\t1\n", "\0\0\0"])
    func `Garbage stops neither status nor thaw`(garbage: String) throws {
        let sandbox = try sandbox()
        for directory in [sandbox.runDirectory, sandbox.stateDirectory] {
            try Files.makeDirectory(directory, mode: 0o700)
        }
        for file in ["run/cycle", "run/deferred", "state/image", "state/history.jsonl"] {
            try Files.write(garbage, to: "\(sandbox.path)/\(file)", mode: 0o600)
        }
        let status = try sandbox.run(["status"])
        #expect(status.status == 2)
        #expect(!status.stdout.contains("\u{1b}"))
        try sandbox.expectThaw()
        #expect(sandbox.trace == ["10-a thaw thaw"])
        try sandbox.expectFreeze()
        try sandbox.expectThaw()
        #expect(sandbox.verdict == "application-consistent")
        #expect(sandbox.runFiles == [])
    }

    /// Nobody knows what the thaw that was killed had still to call.
    @Test(arguments: ["thaw", "recover", "freeze"], [true, false])
    func `A killed thaw without a list leaves every hook to the next`(next: String, hasCycle: Bool) throws {
        let sandbox = try sandbox("hold-limit = \(hasCycle ? "5min" : "0")")
        // In reverse: the other hook comes behind it.
        try sandbox.addGatedHook("20-gate", action: "thaw")
        try sandbox.expectFreeze()
        unlink("\(sandbox.runDirectory)/cycle")
        let thaw = try sandbox.start(["thaw"])
        #expect(eventually { sandbox.trace.last == "20-gate thaw thaw" })
        thaw.kill(SIGKILL)
        _ = try thaw.wait()
        try sandbox.openGate()
        try sandbox.expectSilent(next)
        // Without a guard nothing tells of the cycle, and only a thaw calls its hooks.
        if hasCycle || next == "thaw" {
            let thaws = sandbox.trace.filter { $0.contains(" thaw ") }.suffix(2).map { $0.prefix { $0 != " " } }
            #expect(thaws == ["20-gate", "10-a"], "\(sandbox.trace)")
        }
        if next == "freeze" { #expect(sandbox.trace.last == "20-gate freeze freeze") }
        try sandbox.expectThaw()
        sandbox.expectNothingLeft()
    }
}
