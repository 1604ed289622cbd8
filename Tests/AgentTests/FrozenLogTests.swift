// SPDX-License-Identifier: Apache-2.0

import Glibc
import TestSupport
import Testing

/// A log and a state directory on a filesystem that is frozen when the thaw comes: a small image, mounted in the test's
/// own namespace and seen by nobody else.
@Suite struct FrozenLogTests {
    private static let mountPoint = "/run/frozen"

    /// A guest whose program logs to that filesystem.
    private struct Guest {
        let guest: AgentGuest
        let options = [
            "--log-file", "\(FrozenLogTests.mountPoint)/log", "--state-dir", "\(FrozenLogTests.mountPoint)/state",
        ]

        init() throws {
            guest = try AgentGuest(configuration: "hold-limit = 1min\nkill-grace = 200ms\njournal = no")
            let image = guest.path("image")
            let script = """
                set -e
                truncate -s 8M '\(image)'
                \(try Tools.command("mkfs.ext4", package: "e2fsprogs")) -q -F '\(image)'
                mkdir \(FrozenLogTests.mountPoint)
                mount -o loop '\(image)' \(FrozenLogTests.mountPoint)
                """
            let result = try guest.namespace.run(["/bin/sh", "-c", script])
            #expect(result.status == 0, "\(result.stderr)")
        }

        func start(_ call: String) throws -> ChildProcess {
            try guest.namespace.start([guest.hookPath, call] + options)
        }

        func freezeFilesystem() throws {
            #expect(try guest.namespace.run(["fsfreeze", "--freeze", FrozenLogTests.mountPoint]).status == 0)
        }

        func thawFilesystem() {
            _ = try? guest.namespace.run(["fsfreeze", "--unfreeze", FrozenLogTests.mountPoint])
        }

        /// Thaws the filesystem, which would outlive the namespace's mounts. Does nothing to a thawed one.
        func tidyUp() {
            thawFilesystem()
            _ = try? guest.namespace.run(["umount", FrozenLogTests.mountPoint])
        }

        var log: String { Files.text(of: guest.namespace.path("\(FrozenLogTests.mountPoint)/log")) }
    }

    @Test(arguments: ["thaw", "recover"])
    func `The hooks are thawed although the log blocks, and nobody else waits`(call: String) throws {
        let machine = try Guest()
        let guest = machine.guest
        defer { machine.tidyUp() }
        try guest.hook("10-db", "echo words")
        #expect(try machine.start("freeze").wait(within: 20).status == 0)
        try machine.freezeFilesystem()
        let thaw = try machine.start(call)
        let thawed = "10-db thaw \(call)"
        try wait(for: "the thaw") { guest.calls == ["10-db freeze freeze", thawed] }
        // The record has ended, and the lock is free: another cycle, which logs elsewhere, goes on.
        try wait(for: "the lock") {
            try guest.namespace.run([guest.hookPath, "freeze"]).status == 0
        }
        #expect(try guest.namespace.run([guest.hookPath, "thaw"]).status == 0)
        #expect(guest.calls == ["10-db freeze freeze", thawed, "10-db freeze freeze", "10-db thaw thaw"])
        #expect(thaw.isRunning, "its log is frozen")
        machine.thawFilesystem()
        #expect(try thaw.wait(within: 20).status == 0)
        let messages = HookLog(machine.log).messages
        #expect(messages.last?.hasPrefix("thawed: 1 hook, 0 failed") == true, "\(machine.log)")
        #expect(HookLog(machine.log).output(of: "10-db") == ["words", "words"])
        let history = try guest.namespace.run([guest.hookPath, "history"] + machine.options.suffix(2))
        #expect(history.stdout.contains("application-consistent"), "\(history.stdout)")
        #expect(try Files.names(in: guest.namespace.path("/run/fsfreeze-hook")) == [])
    }

    @Test func `The guard of a killed freeze thaws although the log blocks`() throws {
        let machine = try Guest()
        let guest = machine.guest
        defer { machine.tidyUp() }
        try guest.hook("10-db")
        try guest.hook("20-slow", "[ $1 = thaw ] || exec sleep 1000")
        // The process is nsenter; its child is the program.
        let freeze = try machine.start("freeze")
        try wait(for: "the freeze") { guest.calls.count == 2 }
        try machine.freezeFilesystem()
        kill(try #require(Processes.children(of: freeze.pid).first), SIGKILL)
        try wait(for: "the guard's thaw") { guest.calls.suffix(2) == ["20-slow thaw recover", "10-db thaw recover"] }
        machine.thawFilesystem()
        try wait(for: "the log") { machine.log.contains("thawed: 2 hooks, 0 failed") }
    }
}
