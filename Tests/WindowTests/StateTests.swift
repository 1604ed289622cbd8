import Glibc
import TestSupport
import Testing

/// What is known of a cycle beside its log: the status, the image marker, the record, and recovery from it.
@Suite struct StateTests {
    private func sandbox(_ configuration: String = "") throws -> Sandbox {
        let sandbox = try Sandbox()
        try sandbox.configure("kill-grace = 200ms\n\(configuration)")
        try sandbox.addTracingHook("10-a")
        return sandbox
    }

    private func json(_ sandbox: Sandbox) throws -> String {
        try sandbox.run(["status", "--json"]).stdout.replacing(" ", with: "").replacing("\n", with: "")
    }

    // MARK: - Status

    @Test func `The status follows the cycle`() throws {
        let sandbox = try sandbox()
        try sandbox.addHoldingHook("20-db", session: "db")
        #expect(try sandbox.run(["status"]).status == 2, "no cycle yet")
        #expect(!Files.exists(sandbox.runDirectory), "looking makes nothing")
        try sandbox.expectSilent("freeze")
        let frozen = try json(sandbox)
        #expect(frozen.contains("\"state\":\"frozen\""))
        #expect(frozen.contains("\"frozen_since\":\"2"))
        #expect(frozen.contains("\"guard_seconds_left\":299."))
        #expect(frozen.contains("{\"alive\":true,\"hook\":\"20-db\",\"name\":\"db\"}"))
        #expect(try sandbox.run(["status"]).status == 0)
        try sandbox.expectSilent("thaw")
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
        try sandbox.expectSilent("freeze")
        sandbox.destroy(try #require(sandbox.parts("guard").first))
        #expect(try sandbox.run(["status"]).stdout.contains("has been killed"))
        sandbox.destroy(try #require(sandbox.parts("holder").first))
        let result = try sandbox.run(["status"])
        #expect(result.status == 2)
        #expect(result.stdout.contains("db for 20-db: lost"))
        try sandbox.expectSilent("thaw")
    }

    @Test func `The status of a wrong configuration is an error with its place`() throws {
        let sandbox = try sandbox("nonsense = 1")
        let result = try sandbox.run(["status"])
        #expect(result.status == 65)
        #expect(result.stderr.contains("fsfreeze-hook.conf:4:1: unknown setting 'nonsense'"), "\(result.stderr)")
    }

    // MARK: - Image marker

    @Test func `A machine from an image says which cycle it comes from`() throws {
        let sandbox = try sandbox()
        try sandbox.expectSilent("freeze")
        let id = try #require(sandbox.messages.last?.firstMatch(of: #/cycle ([-0-9a-f]+)/#)).1
        // The image holds the state directory as it is now; its machine has another boot id.
        let restored = try Sandbox()
        mkdir(restored.stateDirectory, 0o700)
        let marker = Files.text(of: "\(sandbox.stateDirectory)/image")
        let boot = Files.text(of: "/proc/sys/kernel/random/boot_id").filter { $0 != "\n" }
        #expect(marker.contains(boot))
        let other = "00000000-1111-2222-3333-444444444444"
        try Files.write(marker.replacing(boot, with: other), to: "\(restored.stateDirectory)/image")
        let result = try restored.run(["status"])
        #expect(result.stdout.contains("this machine comes from the image of cycle \(id)"), "\(result.stdout)")
        #expect(result.stdout.contains("application-consistent"))
        #expect(result.status == 0)
        // A cycle of its own does not make it forget.
        try restored.addTracingHook("10-a")
        try restored.expectSilent("freeze")
        try restored.expectSilent("thaw")
        #expect(try restored.run(["status"]).stdout.contains("this machine comes from the image of cycle \(id)"))

        try sandbox.expectSilent("thaw")
        #expect(!Files.exists("\(sandbox.stateDirectory)/image"), "the machine itself is no image")
        #expect(!(try sandbox.run(["status"]).stdout.contains("comes from the image")))
    }

    /// The filesystems are not frozen here: what is imaged after the guard has ended the window was not held.
    @Test func `An image taken after the guard says that it is not consistent`() throws {
        let sandbox = try sandbox("hold-limit = 80ms")
        try sandbox.expectSilent("freeze")
        let marker = "\(sandbox.stateDirectory)/image"
        #expect(!Files.text(of: marker).contains("\texpired\t"))
        #expect(eventually { Files.text(of: marker).contains("\texpired\t") })
        try sandbox.expectSilent("thaw")
        #expect(!Files.exists(marker))
        sandbox.expectNothingLeft()
    }

    /// While qemu-ga holds them nothing is written to a disk, and the disk is as it was when they were frozen.
    @Test func `The guard leaves the marker alone while filesystems are frozen`() throws {
        let sandbox = try sandbox("hold-limit = 80ms")
        try sandbox.expectSilent("freeze")
        try Files.write("", to: sandbox.agentState)
        let marker = Files.text(of: "\(sandbox.stateDirectory)/image")
        #expect(eventually { sandbox.trace.count == 2 && sandbox.parts("guard").isEmpty })
        #expect(Files.text(of: "\(sandbox.stateDirectory)/image") == marker)
        unlink(sandbox.agentState)
        try sandbox.expectSilent("thaw")
    }

    @Test func `A state directory that cannot be written stops nothing`() throws {
        let sandbox = try sandbox()
        try Files.write("", to: sandbox.stateDirectory)
        try sandbox.expectSilent("freeze")
        try sandbox.expectSilent("thaw")
        #expect(sandbox.messages.contains { $0.contains("the image marker in") })
        #expect(sandbox.messages.contains { $0.contains("the history in") })
        #expect(sandbox.verdict == "application-consistent")
        sandbox.expectNothingLeft()
    }

    // MARK: - Records that are not ours

    private func forge(_ sandbox: Sandbox, boot: String, pid: pid_t) throws {
        mkdir(sandbox.runDirectory, 0o700)
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
        let boot = Files.text(of: "/proc/sys/kernel/random/boot_id").filter { $0 != "\n" }
        try forge(sandbox, boot: boot, pid: stranger.pid)
        try sandbox.expectSilent(action)
        #expect(stranger.isRunning)
        #expect(sandbox.trace.first?.hasPrefix("10-a thaw") == true, "\(sandbox.trace)")
        stranger.kill(SIGKILL)
        _ = try stranger.wait()
        try sandbox.expectSilent("thaw")
    }

    @Test func `A record of another boot is not believed`() throws {
        let sandbox = try sandbox()
        let stranger = try sandbox.startCommand(["sleep", "1000"])
        try forge(sandbox, boot: "00000000-1111-2222-3333-444444444444", pid: stranger.pid)
        #expect(try json(sandbox).contains("\"state\":\"thawed\""))
        try sandbox.expectSilent("recover")
        #expect(sandbox.trace == [])
        try sandbox.expectSilent("freeze")
        #expect(sandbox.trace == ["10-a freeze freeze"])
        #expect(stranger.isRunning)
        stranger.kill(SIGKILL)
        _ = try stranger.wait()
        try sandbox.expectSilent("thaw")
        sandbox.expectNothingLeft()
    }

    // MARK: - Recovery

    @Test func `Recover thaws once, and only when nothing is frozen`() throws {
        let sandbox = try sandbox()
        try sandbox.expectSilent("recover")
        #expect(sandbox.trace == [])
        try sandbox.expectSilent("freeze")
        try Files.write("", to: sandbox.agentState)
        let alone = try sandbox.run(["recover"])
        #expect(alone.status == 0)
        #expect(alone.stderr.contains("is left alone"))
        #expect(sandbox.trace == ["10-a freeze freeze"])
        unlink(sandbox.agentState)
        for _ in 0..<2 { try sandbox.expectSilent("recover") }
        #expect(sandbox.trace == ["10-a freeze freeze", "10-a thaw recover"])
        sandbox.expectNothingLeft()
    }

    // MARK: - Prepare

    @Test func `Every prepare comes before the first freeze, and only where it is declared`() throws {
        let sandbox = try sandbox()
        for name in ["20-b", "30-c"] {
            let header = "#!/bin/sh\n# fsfreeze-hook: prepare = yes\n"
            try sandbox.addHook(name, header + sandbox.tracing())
        }
        try sandbox.expectSilent("freeze")
        let freezes = ["10-a freeze freeze", "20-b freeze freeze", "30-c freeze freeze"]
        #expect(sandbox.trace == ["20-b prepare freeze", "30-c prepare freeze"] + freezes)
        try sandbox.expectSilent("thaw")
        #expect(sandbox.verdict == "application-consistent")
        #expect(sandbox.messages.last { $0.hasPrefix("thawed: ") }?.hasPrefix("thawed: 3 hooks, 0 failed") == true)
    }

    @Test(arguments: ["continue", "abort"]) func `A failed prepare is a failed hook`(policy: String) throws {
        let sandbox = try sandbox("on-failure = \(policy)\n[hook b]\nprepare = yes")
        try sandbox.addTracingHook("20-b", then: "[ $1 != prepare ]")
        let result = try sandbox.freeze()
        if policy == "abort" {
            #expect(result.status == 1)
            #expect(result.stderr.contains("20-b: prepare finished with status=1"))
            #expect(sandbox.trace == ["20-b prepare freeze"], "nothing is frozen yet")
        } else {
            #expect(result.status == 0)
            try sandbox.expectSilent("thaw")
            #expect(sandbox.verdict == "crash-consistent: 20-b prepare finished with status=1")
        }
        sandbox.expectNothingLeft()
    }

    @Test func `A prepare that hangs leaves the freeze its time`() throws {
        let sandbox = try sandbox("freeze-timeout = 1s\n[hook b]\nprepare = yes")
        try sandbox.addTracingHook("20-b", then: "[ $1 != prepare ] || exec sleep 1000")
        let result = try sandbox.freeze()
        #expect(result.status == 0)
        #expect(result.seconds < 5)
        #expect(sandbox.trace == ["20-b prepare freeze", "10-a freeze freeze", "20-b freeze freeze"])
        try sandbox.expectSilent("thaw")
    }
}
