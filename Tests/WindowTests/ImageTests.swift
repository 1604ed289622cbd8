// SPDX-License-Identifier: Apache-2.0

import Glibc
import TestSupport
import Testing

/// The marker that lies in an image, by which a restored machine knows how it was taken.
@Suite struct ImageTests {
    private func sandbox(_ configuration: String = "") throws -> Sandbox {
        let sandbox = try Sandbox()
        try sandbox.configure("kill-grace = 200ms\n\(configuration)")
        try sandbox.addTracingHook("10-a")
        return sandbox
    }

    @Test func `A machine from an image says which cycle it comes from`() throws {
        let sandbox = try sandbox()
        try sandbox.expectFreeze()
        let id = try #require(sandbox.messages.last?.firstMatch(of: #/cycle ([-0-9a-f]+)/#)).1
        // The image holds the state directory as it is now; its machine has another boot id.
        let restored = try Sandbox()
        try Files.makeDirectory(restored.stateDirectory, mode: 0o700)
        let marker = Files.text(of: "\(sandbox.stateDirectory)/image")
        #expect(marker.contains(Boots.this))
        try Files.write(marker.replacing(Boots.this, with: Boots.other), to: "\(restored.stateDirectory)/image")
        let result = try restored.run(["status"])
        #expect(result.stdout.contains("this machine comes from the image of cycle \(id)"), "\(result.stdout)")
        #expect(result.stdout.contains("application-consistent"))
        #expect(result.status == 0)
        // A cycle of the restored machine does not remove the marker.
        try restored.addTracingHook("10-a")
        try restored.expectFreeze()
        try restored.expectThaw()
        #expect(try restored.run(["status"]).stdout.contains("this machine comes from the image of cycle \(id)"))

        try sandbox.expectThaw()
        #expect(!Files.exists("\(sandbox.stateDirectory)/image"), "the machine itself is no image")
        #expect(!(try sandbox.run(["status"]).stdout.contains("comes from the image")))
    }

    /// The filesystems are not frozen here: an image taken after the guard has ended the window has no held
    /// applications.
    @Test func `An image taken after the guard says that it is not consistent`() throws {
        let sandbox = try sandbox("hold-limit = 80ms")
        try sandbox.expectFreeze()
        let marker = "\(sandbox.stateDirectory)/image"
        #expect(!Files.text(of: marker).contains("\texpired\t"))
        #expect(eventually { Files.text(of: marker).contains("\texpired\t") })
        try sandbox.expectThaw()
        #expect(!Files.exists(marker))
        sandbox.expectNothingLeft()
    }

    /// While qemu-ga holds the filesystems the disk stays as of the freeze.
    @Test func `The guard leaves the marker alone while filesystems are frozen`() throws {
        let sandbox = try sandbox("hold-limit = 80ms")
        try sandbox.expectFreeze()
        try Files.write("", to: sandbox.agentState)
        let marker = Files.text(of: "\(sandbox.stateDirectory)/image")
        #expect(eventually { sandbox.trace.count == 2 && sandbox.parts("guard").isEmpty })
        #expect(Files.text(of: "\(sandbox.stateDirectory)/image") == marker)
        unlink(sandbox.agentState)
        try sandbox.expectThaw()
    }

    @Test func `A state directory that cannot be written stops nothing`() throws {
        let sandbox = try sandbox()
        try Files.write("", to: sandbox.stateDirectory)
        try sandbox.expectFreeze()
        try sandbox.expectThaw()
        #expect(sandbox.messages.contains { $0.contains("the image marker in") })
        #expect(sandbox.messages.contains { $0.contains("the history in") })
        #expect(sandbox.verdict == "application-consistent")
        sandbox.expectNothingLeft()
    }

    /// A machine that is restored from an image of the sandbox as it is now, with the whole of its state.
    private func restore(_ sandbox: Sandbox) throws -> Sandbox {
        let restored = try Sandbox()
        try Files.makeDirectory(restored.stateDirectory, mode: 0o700)
        for name in try Files.names(in: sandbox.stateDirectory) {
            let text = Files.text(of: "\(sandbox.stateDirectory)/\(name)").replacing(Boots.this, with: Boots.other)
            try Files.write(text, to: "\(restored.stateDirectory)/\(name)", mode: 0o600)
        }
        return restored
    }

    /// On the machine itself a cycle went before, and is in the history that the image holds.
    @Test(arguments: [true, false]) func `The exit status speaks of the image, not of the cycle before`(isGood: Bool)
        throws
    {
        let sandbox = try sandbox()
        try sandbox.addTracingHook("20-b", then: "[ $1 = thaw ] || [ -e \(sandbox.path)/good ]")
        if !isGood { try Files.write("", to: "\(sandbox.path)/good") }
        try sandbox.expectFreeze()
        try sandbox.expectThaw()
        if isGood { try Files.write("", to: "\(sandbox.path)/good") } else { unlink("\(sandbox.path)/good") }
        try sandbox.expectFreeze()
        let restored = try restore(sandbox)
        try sandbox.expectThaw()

        let status = try restored.run(["status", "--json"])
        let image = try #require(try restored.statusObject()["image"] as? [String: Any])
        #expect(image["verdict"] as? String == (isGood ? "application-consistent" : "crash-consistent"))
        #expect(status.status == (isGood ? 0 : 2), "\(status.stdout)")
        // A cycle of the restored machine counts from then on.
        try restored.addTracingHook("10-a")
        try restored.expectFreeze()
        try restored.expectThaw()
        #expect(try restored.run(["status"]).status == 0)
    }

    @Test func `A restored machine tells of the image in JSON, and is not frozen`() throws {
        let sandbox = try sandbox()
        try sandbox.addHoldingHook("20-db", session: "db")
        try sandbox.expectFreeze()
        let cycle = try #require(sandbox.cycle)
        let restored = try restore(sandbox)
        let status = try restored.statusObject()
        #expect(status["state"] as? String == "thawed")
        #expect((status["holds"] as? [Any])?.isEmpty == true)
        let image = try #require(status["image"] as? [String: Any])
        #expect(image["cycle"] as? String == cycle)
        #expect(
            (image["taken"] as? String)?.wholeMatch(of: #/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}[+-]\d\d:\d\d/#) != nil)
        #expect(image["verdict"] as? String == "application-consistent")
        // No command on the restored machine touches the session of the machine itself, whose processes the marker
        // names.
        try restored.expectSilent("recover")
        try restored.expectThaw()
        #expect(sandbox.isLocked("db"))
        try sandbox.expectThaw()
        #expect(sandbox.verdict == "application-consistent")
    }

    @Test func `An image of a restored machine says its own cycle`() throws {
        let sandbox = try sandbox()
        try sandbox.expectFreeze()
        let restored = try restore(sandbox)
        try restored.addTracingHook("10-a")
        try restored.expectFreeze()
        let second = try #require(restored.cycle)
        let image = try #require(try restore(restored).statusObject()["image"] as? [String: Any])
        #expect(image["cycle"] as? String == second)
        try restored.expectThaw()
        try sandbox.expectThaw()
    }

    @Test func `A freeze that was rolled back or killed leaves no marker`() throws {
        let sandbox = try sandbox("on-failure = abort")
        try sandbox.addGatedHook("20-gate", action: "freeze")
        let freeze = try sandbox.start(["freeze"])
        #expect(eventually { sandbox.trace.count == 2 })
        #expect(!Files.exists("\(sandbox.stateDirectory)/image"), "it is written when all is frozen")
        freeze.kill(SIGTERM)
        #expect(try freeze.wait().status == 1)
        sandbox.expectNothingLeft()
    }
}
