// SPDX-License-Identifier: Apache-2.0

import Glibc
import TestSupport
import Testing

/// The PostgreSQL recipe.
@Suite struct PostgreSQLTests {
    private let guest: RecipeGuest

    init() throws {
        guest = try RecipeGuest()
        try guest.enable("postgresql")
    }

    @Test func `An image of one moment has next to nothing to recover`() throws {
        let server = try PostgreSQLServer(on: guest)
        let load = server.startLoad()
        defer { load.stop() }
        for cycle in 1...20 {
            let before = try server.writtenWAL()
            let held = try HeldCycle(on: guest, under: load) { try server.copyData(to: guest.path("copy")) }
            // Recovery begins with the checkpoint of this freeze.
            let sinceFreeze = try server.writtenWAL() - before
            try PostgreSQLServer.inspect(guest.path("copy"), on: guest) { copy in
                let replayed = try copy.replayedWAL()
                #expect(replayed.map { $0 <= sinceFreeze } == true, "\(String(describing: replayed)) \(sinceFreeze)")
                // Writers go on: one number of each may be written and not yet acknowledged.
                held.expectExact(try copy.numbers(of: held.atFreeze.count), inFlight: 1)
                if cycle == 20 {
                    try copy.execute("CREATE EXTENSION amcheck")
                    try copy.run("pg_amcheck", "--host=\(copy.socketDirectory)", "--heapallindexed", "postgres")
                    try copy.end()
                    try copy.run("pg_checksums", "--check", "--pgdata=\(copy.data)")
                }
            }
        }
        #expect(guest.runFiles == [])
    }

    @Test func `A backup session serves a copy of many moments`() throws {
        let archive = try guest.makeDirectory("archive", owner: "postgres")
        let labels = try guest.makeDirectory("labels", owner: "root")
        let server = try PostgreSQLServer(
            on: guest, options: ["archive_mode=on", "archive_command=cp %p \(archive)/%f"])
        try guest.configure("postgresql", "mode = session\nlabel-directory = \(labels)\n")
        let load = server.startLoad()
        defer { load.stop() }
        let held = try HeldCycle(on: guest, under: load) {
            _ = try guest.makeDirectory("copy", owner: "postgres")
            // The files are copied one by one while the server writes.
            for directory in ["global", "base", "pg_xact", "."] {
                try guest.execute(["cp", "-a", "\(server.data)/\(directory)/.", guest.path("copy/\(directory)")])
                try load.advance(by: 20)
            }
        }
        try server.execute("SELECT pg_switch_wal()")
        let files = try Files.names(in: labels)
        #expect(files.count == 1)
        let label = "\(labels)/\(files.first ?? "")"
        #expect(Files.text(of: label).contains("LABEL: fsfreeze-hook "))
        try guest.execute(["install", "-o", "postgres", "-m", "0600", label, guest.path("copy/backup_label")])
        try guest.execute(["install", "-o", "postgres", "-m", "0600", "/dev/null", guest.path("copy/recovery.signal")])
        try guest.execute(["rm", "-rf", guest.path("copy/postmaster.pid"), guest.path("copy/pg_wal")])
        for directory in ["copy/pg_wal", "copy/pg_wal/archive_status"] {
            _ = try guest.makeDirectory(directory, owner: "postgres")
        }
        try Files.write(
            Files.text(of: guest.path("copy/postgresql.conf")) + "restore_command = 'cp \(archive)/%f %p'\n",
            to: guest.path("copy/postgresql.conf"))
        try PostgreSQLServer.inspect(guest.path("copy"), on: guest) { copy in
            #expect(eventually(within: 60) { (try? copy.execute("SELECT pg_is_in_recovery()")) == "f\n" })
            let numbers = try copy.numbers(of: held.atFreeze.count)
            for (writer, number) in numbers.enumerated() {
                #expect(number.count == number.last && number.last >= held.atFreeze[writer])
            }
            try copy.execute("CREATE EXTENSION amcheck")
            try copy.run("pg_amcheck", "--host=\(copy.socketDirectory)", "--heapallindexed", "postgres")
        }
    }

    @Test func `A backup session that an administrator kills is reported`() throws {
        let labels = try guest.makeDirectory("labels", owner: "root")
        let server = try PostgreSQLServer(on: guest)
        try guest.configure("postgresql", "mode = session\nlabel-directory = \(labels)\n")
        #expect(try guest.run("freeze") == 0)
        #expect(guest.output(of: "50-postgresql").contains("held by an open backup"))
        #expect(
            try server.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'fsfreeze-hook'")
                == "t\n")
        #expect(try guest.run("thaw") == 0)
        #expect(guest.verdict?.hasPrefix("crash-consistent") == true, "\(guest.log)")
        #expect(try Files.names(in: labels) == [])
        #expect(try guest.run("freeze") == 0)
        #expect(try guest.run("thaw") == 0)
        #expect(guest.verdict == "application-consistent", "\(guest.log)")
        #expect(try Files.names(in: labels).count == 1)
    }

    @Test func `The label is kept wherever the window ends`() throws {
        let labels = try guest.makeDirectory("labels", owner: "root")
        let server = try PostgreSQLServer(on: guest)
        try guest.configure("postgresql", "mode = session\nlabel-directory = \(labels)\n")
        // A rehearsal has no image.
        #expect(try guest.run("rehearse", "--hold", "100ms") == 0)
        #expect(try Files.names(in: labels) == [])
        // The thaw of this freeze is lost.
        #expect(try guest.run("freeze") == 0)
        #expect(try guest.run("recover") == 0)
        #expect(try Files.names(in: labels).count == 1)
        // The guard thaws first, while the filesystems may be frozen.
        try guest.configure("hold-limit = 200ms\n")
        #expect(try guest.run("freeze") == 0)
        #expect(eventually { guest.runFiles.allSatisfy { !$0.hasPrefix("hold-") } })
        #expect(try guest.run("thaw") == 0)
        #expect(try Files.names(in: labels).count == 1)
        #expect(
            guest.output(of: "50-postgresql").contains { $0.hasPrefix("backup_label START WAL LOCATION: ") },
            "\(guest.log)")
        _ = server
    }

    @Test func `A server that is killed in the window of a session is reported`() throws {
        let labels = try guest.makeDirectory("labels", owner: "root")
        let server = try PostgreSQLServer(on: guest)
        try guest.configure("postgresql", "mode = session\nlabel-directory = \(labels)\n")
        #expect(try guest.run("freeze") == 0)
        try server.end(SIGKILL)
        let begin = monotonicSeconds()
        #expect(try guest.run("thaw") == 0)
        #expect(monotonicSeconds() - begin < 5)
        #expect(guest.verdict?.hasPrefix("crash-consistent") == true)
        #expect(eventually { (try? server.start()) != nil })
        #expect(try guest.run("freeze") == 0)
        #expect(try guest.run("thaw") == 0)
        #expect(guest.verdict == "application-consistent", "\(guest.log)")
    }

    @Test func `A machine without the server is skipped`() throws {
        #expect(try guest.run("freeze") == 0)
        #expect(guest.ending(of: "50-postgresql")?.contains("status=77") == true)
        #expect(guest.output(of: "50-postgresql").allSatisfy { $0 == "postgresql is not running here" })
        #expect(try guest.run("thaw") == 0)
    }

    @Test func `Every cluster of the machine is found`() throws {
        let first = try PostgreSQLServer("one", on: guest)
        let second = try PostgreSQLServer("two", on: guest)
        #expect(try guest.run("freeze") == 0)
        let lines = guest.output(of: "50-postgresql").filter { $0.hasSuffix(": checkpoint") }
        #expect(lines.count == 2)
        #expect([first, second].allSatisfy { server in lines.contains { $0.contains(", \(server.data): ") } })
        #expect(try guest.run("thaw") == 0)
        #expect(guest.verdict == "application-consistent")
    }

    @Test func `A standby is recognised`() throws {
        let server = try PostgreSQLServer(on: guest)
        try server.end()
        try guest.execute(["install", "-o", "postgres", "-m", "0600", "/dev/null", "\(server.data)/standby.signal"])
        try server.start()
        #expect(try guest.run("freeze") == 0)
        #expect(guest.output(of: "50-postgresql").last?.contains(", a standby, ") == true)
        #expect(try guest.run("thaw") == 0)
        #expect(guest.verdict == "application-consistent")
    }

    @Test func `A password is used and shown nowhere`() throws {
        let server = try PostgreSQLServer(on: guest)
        try server.execute("CREATE ROLE backup LOGIN SUPERUSER PASSWORD 'correct-horse'")
        try Files.write(
            "local all backup scram-sha-256\nlocal all all peer\n", to: "\(server.data)/pg_hba.conf")
        try server.execute("SELECT pg_reload_conf()")
        for (password, status) in [("correct-horse", "status=0"), ("wrong-horse", "status=1")] {
            try guest.configure(
                "postgresql", "[db]\nhost = \(server.socketDirectory)\nuser = backup\npassword = \(password)\n")
            #expect(try guest.run("freeze") == 0)
            #expect(guest.ending(of: "50-postgresql")?.contains(status) == true, "\(guest.log)")
            #expect(try guest.run("thaw") == 0)
        }
        #expect(guest.output(of: "50-postgresql").contains { $0.contains("password authentication failed") })
        #expect(!Files.text(of: guest.path("log")).contains("-horse"))
    }

    @Test func `A server that refuses the user is given up`() throws {
        let server = try PostgreSQLServer(on: guest)
        try guest.configure("postgresql", "timeout = 1\n[db]\nhost = \(server.socketDirectory)\nuser = backup\n")
        #expect(try guest.run("freeze") == 0)
        #expect(guest.ending(of: "50-postgresql")?.contains("status=1") == true)
        #expect(
            guest.output(of: "50-postgresql").last?.contains("role \"backup\" does not exist") == true
                || guest.output(of: "50-postgresql").last?.contains("Peer authentication failed") == true)
        #expect(try guest.run("thaw") == 0)
    }

    @Test(arguments: ["/bin/dash", "/bin/bash", "/bin/busybox sh"]) func `Every shell runs the recipe`(shell: String)
        throws
    {
        let guest = try RecipeGuest()
        try guest.enable("postgresql", runBy: shell)
        let labels = try guest.makeDirectory("labels", owner: "root")
        let server = try PostgreSQLServer(on: guest)
        for configuration in ["", "mode = session\nlabel-directory = \(labels)\n"] {
            try guest.configure("postgresql", configuration)
            #expect(try guest.run("freeze") == 0)
            #expect(try guest.run("freeze") == 0)
            #expect(try guest.run("thaw") == 0)
            #expect(guest.verdict == "application-consistent", "\(guest.log)")
            #expect(try guest.run("thaw") == 0)
        }
        // The freeze whose thaw was lost may have an image, so its label is kept as well.
        #expect(try Files.names(in: labels).count == 2)
        _ = server
    }
}
