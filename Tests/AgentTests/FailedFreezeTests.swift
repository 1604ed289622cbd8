// SPDX-License-Identifier: Apache-2.0

import Glibc
import TestSupport
import Testing

/// A freeze that fails behind its hook: the agent thaws, calls the hook with `thaw` before it has answered the host, and
/// then answers with an error. Nothing was frozen for an image.
@Suite struct FailedFreezeTests {
    private static let good = "/run/good"
    // A mount point below another mount cannot be opened: the agent's freeze fails with ENOENT.
    private static let covered = "/run/covered/inner"
    private static let words =
        "crash-consistent: the agent thawed before it had answered the freeze: nothing was frozen for an image"

    private func guest() throws -> AgentGuest {
        let guest = try AgentGuest()
        let format = try Tools.command("mkfs.ext4", package: "e2fsprogs")
        let script = """
            set -e
            mkdir -p \(Self.good) \(Self.covered)
            for name in good covered; do
                truncate -s 8M '\(guest.path("image"))'-$name
                \(format) -q -F '\(guest.path("image"))'-$name
            done
            mount -o loop '\(guest.path("image"))'-good \(Self.good)
            mount -o loop '\(guest.path("image"))'-covered \(Self.covered)
            mount -t tmpfs tmpfs /run/covered
            """
        let result = try guest.namespace.run(["/bin/sh", "-c", script])
        #expect(result.status == 0, "\(result.stderr)")
        try guest.hook("10-db", header: "guarantee = application-consistent")
        return guest
    }

    /// Thaws and unmounts: a frozen filesystem would outlive the namespace's mounts.
    private func tidyUp(_ guest: AgentGuest) {
        let script = """
            fsfreeze --unfreeze \(Self.good); umount \(Self.good); umount /run/covered; umount \(Self.covered)
            """
        _ = try? guest.namespace.run(["/bin/sh", "-c", script])
    }

    @Test(arguments: [[covered], [good, covered]])
    func `The verdict says that nothing was frozen`(mountPoints: [String]) throws {
        let guest = try guest()
        defer { tidyUp(guest) }
        let agent = try guest.startAgent(state: "/run")
        for _ in 0..<3 {
            let answer = try agent.freeze(mountPoints)
            #expect(answer.error?.contains("failed to open") == true, "\(answer.json)")
            #expect(try agent.status() == "thawed")
            #expect(guest.calls.suffix(2) == ["10-db freeze freeze", "10-db thaw thaw"])
            #expect(guest.logLines.last?.hasSuffix("): \(Self.words)") == true, "\(guest.log)")
        }
        let status = try guest.namespace.run([guest.hookPath, "status", "--json"])
        #expect(status.status == 2)
        #expect(status.stdout.contains("\"freeze-unanswered\""), "\(status.stdout)")
    }

    @Test func `Lines of the agent's log are no answer`() throws {
        let guest = try guest()
        defer { tidyUp(guest) }
        let log = guest.path("agent.log")
        // What is there already: the agent appends.
        try Files.write("earlier\n", to: log)
        let agent = try guest.startAgent(state: "/run", options: ["--verbose", "--logfile=\(log)"])
        for _ in 0..<2 {
            let before = Files.text(of: log).utf8.count
            #expect(try agent.freeze([Self.good, Self.covered]).error?.contains("failed to open") == true)
            #expect(guest.logLines.last?.hasSuffix("): \(Self.words)") == true, "\(guest.log)")
            #expect(Files.text(of: log).utf8.count > before, "the agent logs")
            #expect(try agent.freeze(Self.good).number == 1)
            #expect(try agent.thaw().number == 1)
            #expect(guest.logLines.last?.hasSuffix("): application-consistent") == true, "\(guest.log)")
        }
    }

    @Test func `A freeze that the agent has answered is a backup, however soon its thaw comes`() throws {
        let guest = try guest()
        defer { tidyUp(guest) }
        let agent = try guest.startAgent(state: "/run")
        for _ in 0..<3 {
            #expect(try agent.freeze(Self.good).number == 1)
            #expect(try agent.thaw().number == 1)
            #expect(guest.logLines.last?.hasSuffix("): application-consistent") == true, "\(guest.log)")
            // The thaw is there before the agent has frozen.
            let answers = try agent.freezeAndThaw(Self.good)
            #expect(answers.map(\.number) == [1, 1])
            #expect(guest.logLines.last?.hasSuffix("): application-consistent") == true, "\(guest.log)")
        }
    }

    @Test func `A thaw of another caller says nothing of the agent`() throws {
        let guest = try guest()
        defer { tidyUp(guest) }
        let agent = try guest.startAgent(state: "/run")
        #expect(try agent.freeze("/nonexistent").number == 0)
        #expect(try guest.namespace.run([guest.hookPath, "thaw"]).status == 0)
        #expect(guest.logLines.last?.hasSuffix("): application-consistent") == true, "\(guest.log)")
    }
}
