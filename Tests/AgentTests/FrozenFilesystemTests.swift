// SPDX-License-Identifier: Apache-2.0

import Glibc
import TestSupport
import Testing

/// A freeze of one real filesystem: a small image, mounted in the test's own namespace and seen by nobody else.
@Suite struct FrozenFilesystemTests {
    private static let mountPoint = "/run/frozen"

    /// A guest with such a filesystem and a hook that holds a session.
    private func guest(_ configuration: String = "") throws -> AgentGuest {
        let guest = try AgentGuest(configuration: "kill-grace = 200ms\n\(configuration)")
        let script = """
            set -e
            truncate -s 8M '\(guest.path("image"))'
            \(try Tools.command("mkfs.ext4", package: "e2fsprogs")) -q -F '\(guest.path("image"))'
            mkdir \(Self.mountPoint)
            mount -o loop '\(guest.path("image"))' \(Self.mountPoint)
            """
        let result = try guest.namespace.run(["/bin/sh", "-c", script])
        #expect(result.status == 0, "\(result.stderr)")
        try guest.hook(
            "10-db",
            """
            case $1 in
            freeze) echo 'echo ready' | '\(try Tools.program())' hold db --ready ready --release 'exit 0' -- sh ;;
            thaw) '\(try Tools.program())' release db ;;
            esac
            """)
        return guest
    }

    /// Thaws the filesystem, which would outlive the namespace's mounts. Does nothing to a thawed one.
    private func tidyUp(_ guest: AgentGuest) {
        _ = try? guest.namespace.run(["fsfreeze", "--unfreeze", Self.mountPoint])
        _ = try? guest.namespace.run(["umount", Self.mountPoint])
    }

    /// Whether a file can be written on the filesystem now.
    private func isWritable(_ guest: AgentGuest) throws -> Bool {
        let write = try guest.namespace.start(["/bin/sh", "-c", "echo x > \(Self.mountPoint)/file"])
        let ended = eventually(within: 0.5) { !write.isRunning }
        return ended
    }

    @Test func `An agent killed while frozen leaves the session held, and its successor thaws`() throws {
        let guest = try guest()
        defer { tidyUp(guest) }
        let first = try guest.startAgent(state: "/run")
        #expect(try first.freeze(Self.mountPoint).number == 1)
        #expect(try first.status() == "frozen")
        kill(first.process, SIGKILL)
        try first.waitForEnd()
        #expect(guest.processes(" guard ").count == 1)
        #expect(guest.processes(" holder ").count == 1)

        // `recover`, which the unit's drop-in calls at stop and start, leaves the cycle alone.
        let recovered = try guest.namespace.run([guest.hookPath, "recover"])
        #expect(recovered.status == 0)
        #expect(recovered.stderr.contains("is left alone"))
        let second = try guest.startAgent(state: "/run")
        #expect(try second.status() == "frozen")
        #expect(try !isWritable(guest), "the filesystem is really frozen")
        #expect(try second.thaw().number == 1)
        #expect(try second.status() == "thawed")
        #expect(try isWritable(guest))
        #expect(guest.calls == ["10-db freeze freeze", "10-db thaw thaw"])
        let verdict = "): application-consistent, as far as 10-db tells"
        #expect(guest.logLines.last?.hasSuffix(verdict) == true, "\(guest.log)")
    }

    @Test func `A session lost while frozen is in the verdict`() throws {
        let guest = try guest()
        defer { tidyUp(guest) }
        let agent = try guest.startAgent(state: "/run")
        #expect(try agent.freeze(Self.mountPoint).number == 1)
        for holder in guest.processes(" holder ") { kill(holder, SIGKILL) }
        #expect(try agent.thaw().number == 1)
        #expect(guest.logLines.last?.contains("crash-consistent: ") == true)
        #expect(guest.logLines.last?.contains("hold db lost at ") == true, "\(guest.log)")
    }

    @Test(arguments: [false, true]) func `Without a thaw the guard ends the window`(thawsFilesystems: Bool) throws {
        let guest = try guest("hold-limit = 200ms\nthaw-filesystems = \(thawsFilesystems ? "yes" : "no")")
        defer { tidyUp(guest) }
        let agent = try guest.startAgent(state: "/run")
        #expect(try agent.freeze(Self.mountPoint).number == 1)
        let log = guest.log
        try wait(for: "the guard's thaw") { guest.calls.count == 2 && guest.processes(" guard ").isEmpty }
        #expect(guest.calls.last == "10-db thaw expired")
        #expect(guest.log == log)
        #expect(try isWritable(guest) == thawsFilesystems)
        #expect(try agent.thaw().error == nil)
        let summary = try #require(guest.logLines.last)
        #expect(summary.contains("the guard ended the window at "), "\(guest.log)")
        #expect(summary.contains("the guard thawed the filesystems \(Self.mountPoint)") == thawsFilesystems)
    }
}
