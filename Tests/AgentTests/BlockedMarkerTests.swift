// SPDX-License-Identifier: Apache-2.0

import Glibc
import TestSupport
import Testing

/// The image marker on a filesystem that somebody else has frozen: a write there waits in the kernel, and cannot be
/// killed.
@Suite struct BlockedMarkerTests {
    private static let place = "/var/lib/fsfreeze-hook"
    private static let limit = 4.0

    private func guest() throws -> AgentGuest {
        let guest = try AgentGuest(configuration: "kill-grace = 200ms\nfreeze-timeout = \(Int(Self.limit))s")
        let script = """
            set -e
            truncate -s 8M '\(guest.path("image"))'
            \(try Tools.command("mkfs.ext4", package: "e2fsprogs")) -q -F '\(guest.path("image"))'
            mkdir \(Self.place)
            mount -o loop '\(guest.path("image"))' \(Self.place)
            """
        let result = try guest.namespace.run(["/bin/sh", "-c", script])
        #expect(result.status == 0, "\(result.stderr)")
        try guest.hook("10-db", header: "guarantee = application-consistent")
        return guest
    }

    private func fsfreeze(_ option: String, _ guest: AgentGuest) throws {
        #expect(try guest.namespace.run(["fsfreeze", option, Self.place]).status == 0)
    }

    /// Thaws and unmounts: a frozen filesystem would outlive the namespace's mounts.
    private func tidyUp(_ guest: AgentGuest) {
        _ = try? guest.namespace.run(["fsfreeze", "--unfreeze", Self.place])
        _ = eventually { guest.processes(" marker ").isEmpty }
        _ = try? guest.namespace.run(["umount", Self.place])
    }

    private func marker(_ guest: AgentGuest) -> String { Files.text(of: guest.namespace.path("\(Self.place)/image")) }

    @Test func `It keeps no freeze from its end, and comes when the filesystem goes on`() throws {
        let guest = try guest()
        defer { tidyUp(guest) }
        let agent = try guest.startAgent()
        try fsfreeze("--freeze", guest)
        let answer = try agent.freeze()
        #expect(answer.number == 0 && answer.seconds < Self.limit, "\(answer.json) \(answer.seconds)")
        let words = "the image marker in \(Self.place) cannot be written: its filesystem does not answer"
        #expect(guest.log.contains(words), "\(guest.log)")
        #expect(guest.processes(" marker ").count == 1)
        #expect(guest.logLines.last?.hasPrefix("frozen: 1 hook, 0 failed") == true, "\(guest.log)")
        try fsfreeze("--unfreeze", guest)
        #expect(eventually { guest.processes(" marker ").isEmpty })
        #expect(marker(guest).contains("\tfrozen\t"))
        #expect(try agent.thaw().error == nil)
        #expect(marker(guest) == "")
        #expect(guest.logLines.last?.hasSuffix("): application-consistent") == true, "\(guest.log)")
    }

    @Test func `A writer that was left behind leaves no marker of a window that has ended`() throws {
        let guest = try guest()
        defer { tidyUp(guest) }
        let agent = try guest.startAgent()
        for _ in 0..<3 {
            try fsfreeze("--freeze", guest)
            #expect(try agent.freeze().number == 0)
            let thaw = try guest.namespace.start([guest.hookPath, "thaw"])
            #expect(eventually { guest.calls.last == "10-db thaw thaw" }, "the thaw waits for no disk")
            try fsfreeze("--unfreeze", guest)
            #expect(try thaw.wait().status == 0)
            #expect(eventually { guest.processes(" marker ").isEmpty })
            #expect(marker(guest) == "")
            try guest.forgetCalls()
        }
    }
}
