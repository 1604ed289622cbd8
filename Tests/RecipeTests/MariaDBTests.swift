// SPDX-License-Identifier: Apache-2.0

import Glibc
import TestSupport
import Testing

/// The MariaDB recipe.
@Suite struct MariaDBTests {
    private let guest: RecipeGuest

    init() throws {
        guest = try RecipeGuest()
        try guest.enable("mariadb")
    }

    @Test func `What was acknowledged is in the copy and nothing else`() throws {
        let server = try MariaDBServer(on: guest)
        let load = server.startLoad()
        defer { load.stop() }
        for _ in 1...20 {
            let cycle = try HeldCycle(on: guest, under: load) { try server.copyData(to: guest.path("copy")) }
            try MariaDBServer.inspect(guest.path("copy"), on: guest) { copy in
                #expect(try copy.complaints() == [])
                cycle.expectExact(try copy.numbers(of: cycle.atFreeze.count))
            }
        }
        #expect(guest.runFiles == [])
        #expect(try server.holdingConnections() == [])
    }

    @Test func `Without the recipe tables are not clean`() throws {
        let server = try MariaDBServer(on: guest)
        let load = server.startLoad()
        defer { load.stop() }
        try load.advance(by: 20)
        try server.inspectCopy { copy in
            let complaints = try copy.complaints()
            #expect(complaints.contains { $0.contains("load_test.myisam") })
            #expect(complaints.contains { $0.contains("load_test.aria") })
        }
    }

    @Test func `A long query does not stall the others`() throws {
        try guest.configure("mariadb", "lock-wait = 1\n")
        let server = try MariaDBServer(on: guest)
        let load = server.startLoad()
        defer { load.stop() }
        // A query on a table of the load would make the load wait.
        try server.execute("CREATE TABLE load_test.slow (number INT) ENGINE=MyISAM")
        let long = try guest.start(server.client + ["--execute=INSERT INTO load_test.slow SELECT SLEEP(60)"])
        #expect(eventually { (try? server.connections("info LIKE '%SLEEP(60)%'").count) == 1 })
        let begin = monotonicSeconds()
        #expect(try guest.run("freeze") == 0)
        try load.advance(by: 3)
        #expect(load.longestPause(since: begin) < 4)
        #expect(guest.ending(of: "50-mariadb")?.contains("status=1") == true)
        #expect(guest.output(of: "50-mariadb").contains { $0.contains("Lock wait timeout exceeded") })
        #expect(try guest.run("thaw") == 0)
        #expect(guest.verdict?.hasPrefix("crash-consistent") == true)
        #expect(load.errors == [])
        for connection in try server.connections("info LIKE '%SLEEP(60)%'") { try server.execute("KILL \(connection)") }
        _ = try long.wait()
    }

    @Test func `A long read does not matter`() throws {
        let server = try MariaDBServer(on: guest)
        try server.execute("INSERT INTO load_test.innodb VALUES (1, 1)")
        let long = try guest.start(server.client + ["--execute=SELECT SLEEP(60), number FROM load_test.innodb"])
        #expect(eventually { (try? server.connections("info LIKE '%SLEEP(60)%'").count) == 1 })
        #expect(try guest.run("freeze") == 0)
        #expect(try guest.run("thaw") == 0)
        #expect(guest.verdict == "application-consistent")
        for connection in try server.connections("info LIKE '%SLEEP(60)%'") { try server.execute("KILL \(connection)") }
        _ = try long.wait()
    }

    @Test func `A server that is killed in the window is reported`() throws {
        let server = try MariaDBServer(on: guest)
        #expect(try guest.run("freeze") == 0)
        try server.end(SIGKILL)
        let begin = monotonicSeconds()
        #expect(try guest.run("thaw") == 0)
        #expect(monotonicSeconds() - begin < 5)
        #expect(guest.verdict?.hasPrefix("crash-consistent") == true)
        #expect(guest.ending(of: "50-mariadb", "thaw")?.contains("status=1") == true)
        try server.start()
        #expect(try guest.run("freeze") == 0)
        #expect(try guest.run("thaw") == 0)
        #expect(guest.verdict == "application-consistent")
    }

    @Test func `A session that an administrator kills is reported`() throws {
        let server = try MariaDBServer(on: guest)
        #expect(try guest.run("freeze") == 0)
        #expect(eventually { (try? server.holdingConnections().count) == 1 })
        for connection in try server.holdingConnections() { try server.execute("KILL \(connection)") }
        #expect(try guest.run("thaw") == 0)
        #expect(guest.verdict?.hasPrefix("crash-consistent") == true, "\(guest.log)")
        #expect(try guest.run("freeze") == 0)
        #expect(try guest.run("thaw") == 0)
        #expect(guest.verdict == "application-consistent")
    }

    @Test func `A server that hangs is given up`() throws {
        let server = try MariaDBServer(on: guest)
        #expect(try guest.run("freeze") == 0)
        try server.whileStopped { () throws in
            let begin = monotonicSeconds()
            #expect(try guest.run("thaw") == 0)
            #expect(guest.verdict?.hasPrefix("crash-consistent") == true, "\(guest.log)")
            #expect(try guest.run("freeze") == 0)
            #expect(guest.ending(of: "50-mariadb")?.contains("status=1") == true)
            #expect(try guest.run("thaw") == 0)
            #expect(monotonicSeconds() - begin < 40)
        }
        #expect(eventually { (try? server.holdingConnections()) == [] })
        #expect(try guest.run("freeze") == 0)
        #expect(try guest.run("thaw") == 0)
        #expect(guest.verdict == "application-consistent", "\(guest.log)")
    }

    @Test func `A recipe that the time limit ends leaves no lock`() throws {
        try guest.configure("mariadb", "lock-wait = 50\n")
        try guest.configure("[hook mariadb]\ntimeout = 1s\n")
        let server = try MariaDBServer(on: guest)
        try server.execute("CREATE TABLE load_test.slow (number INT) ENGINE=MyISAM")
        let long = try guest.start(server.client + ["--execute=INSERT INTO load_test.slow SELECT SLEEP(60)"])
        #expect(eventually { (try? server.connections("info LIKE '%SLEEP(60)%'").count) == 1 })
        #expect(try guest.run("freeze") == 0)
        #expect(guest.ending(of: "50-mariadb")?.contains("time limit of 1s exceeded") == true, "\(guest.log)")
        // The client that waited for a lock has gone, and with it the queue behind it.
        #expect(eventually { (try? server.connections("info LIKE 'BACKUP%'")) == [] })
        #expect(try server.execute("INSERT INTO load_test.myisam VALUES (1, 1); SELECT 'written'") == "written\n")
        #expect(try guest.run("thaw") == 0)
        #expect(guest.verdict?.hasPrefix("crash-consistent") == true)
        for connection in try server.connections("info LIKE '%SLEEP(60)%'") { try server.execute("KILL \(connection)") }
        _ = try long.wait()
    }

    /// The data lie on a filesystem of the test's own, which is really frozen; nobody thaws.
    @Test func `The guard lets go while the disk is frozen`() throws {
        let disk = guest.path("disk")
        try guest.execute([
            "/bin/sh", "-ec",
            "truncate -s 200M '\(disk).image'; mkfs.ext4 -q '\(disk).image'; mkdir '\(disk)'; mount -o loop '\(disk).image' '\(disk)'",
        ])
        let server = try MariaDBServer("disk/db", on: guest)
        try guest.configure("hold-limit = 1s\n")
        #expect(try guest.run("freeze") == 0)
        try guest.execute(["fsfreeze", "--freeze", disk])
        let isFree = eventually(within: 20) { guest.runFiles.allSatisfy { !$0.hasPrefix("hold-") } }
        let clients = Processes.mentioning(server.socket).filter { Processes.commandLine(of: $0).hasPrefix("mariadb ") }
        try guest.execute(["fsfreeze", "--unfreeze", disk])
        #expect(isFree && clients == [])
        #expect(try guest.run("thaw") == 0)
        #expect(guest.verdict?.hasPrefix("crash-consistent") == true, "\(guest.log)")
        #expect(guest.ending(of: "50-mariadb", "thaw")?.contains("status=0") == true, "\(guest.log)")
        #expect(try server.execute("INSERT INTO load_test.innodb VALUES (1, 1); SELECT 'written'") == "written\n")
        try server.end()
        try guest.execute(["umount", disk])
    }

    @Test func `A server that ends idle sessions keeps that of the recipe`() throws {
        let server = try MariaDBServer(on: guest, options: ["--wait-timeout=1", "--interactive-timeout=1"])
        #expect(try guest.run("freeze") == 0)
        usleep(2_500_000)
        #expect(try guest.run("thaw") == 0)
        #expect(guest.verdict == "application-consistent", "\(guest.log)")
        _ = server
    }

    @Test func `A machine without the server is skipped`() throws {
        #expect(try guest.run("freeze") == 0)
        #expect(guest.ending(of: "50-mariadb")?.contains("status=77") == true)
        #expect(guest.output(of: "50-mariadb") == ["mariadb is not running here"])
        #expect(try guest.run("thaw") == 0)
    }

    @Test func `Every server of the machine is held`() throws {
        let first = try MariaDBServer("one", on: guest)
        let second = try MariaDBServer("two", on: guest)
        #expect(try guest.run("freeze") == 0)
        #expect(
            eventually { (try? first.holdingConnections().count) == 1 && (try? second.holdingConnections().count) == 1 }
        )
        #expect(guest.output(of: "50-mariadb").filter { $0.contains("held by BACKUP STAGE") }.count == 2)
        #expect(try guest.run("thaw") == 0)
        #expect(guest.verdict == "application-consistent")
        try second.end(SIGKILL)
        // The socket of the second server is still there: a configured server that does not run is no slow one.
        try guest.configure("mariadb", "[one]\nsocket = \(first.socket)\n[two]\nsocket = \(second.socket)\n")
        #expect(try guest.run("freeze") == 0)
        #expect(guest.ending(of: "50-mariadb")?.contains("status=1") == true)
        #expect(eventually { (try? first.holdingConnections().count) == 1 })
        #expect(try guest.run("thaw") == 0)
        #expect(try first.holdingConnections() == [])
    }

    @Test func `A password is used and shown nowhere`() throws {
        let server = try MariaDBServer(on: guest)
        try server.execute(
            "CREATE USER backup@localhost IDENTIFIED BY 'correct-horse'", "GRANT RELOAD ON *.* TO backup@localhost")
        try guest.configure("mariadb", "[db]\nsocket = \(server.socket)\nuser = backup\npassword = correct-horse\n")
        #expect(try guest.run("freeze") == 0)
        let commands = (try Files.names(in: "/proc")).compactMap { pid_t($0) }.map(Processes.commandLine)
        #expect(!commands.contains { $0.contains("correct-horse") })
        #expect(try guest.run("thaw") == 0)
        #expect(guest.verdict == "application-consistent", "\(guest.log)")

        try guest.configure("mariadb", "[db]\nsocket = \(server.socket)\nuser = backup\npassword = wrong-horse\n")
        #expect(try guest.run("freeze") == 0)
        #expect(guest.ending(of: "50-mariadb")?.contains("status=1") == true)
        #expect(guest.output(of: "50-mariadb").last?.contains("Access denied for user 'backup'") == true)
        #expect(try guest.run("thaw") == 0)
        #expect(!Files.text(of: guest.path("log")).contains("-horse"))
    }

    @Test func `A configuration that others can read or write is refused`() throws {
        let server = try MariaDBServer(on: guest)
        for (text, mode): (String, mode_t) in [
            ("password = secret\n", 0o644), ("user = root\n", 0o666), ("usr = root\n", 0o600),
        ] {
            try guest.configure("mariadb", text, mode: mode)
            #expect(try guest.run("freeze") == 0)
            #expect(guest.ending(of: "50-mariadb")?.contains("status=1") == true, "\(text)")
            #expect(guest.output(of: "50-mariadb").last?.contains("mariadb.conf") == true)
            #expect(try guest.run("thaw") == 0)
        }
        _ = server
    }

    @Test(arguments: ["/bin/dash", "/bin/bash", "/bin/busybox sh"]) func `Every shell runs the recipe`(shell: String)
        throws
    {
        let guest = try RecipeGuest()
        try guest.enable("mariadb", runBy: shell)
        let server = try MariaDBServer(on: guest)
        for _ in 1...2 {
            #expect(try guest.run("freeze") == 0)
            #expect(try guest.run("freeze") == 0)
            #expect(eventually { (try? server.holdingConnections().count) == 1 })
            #expect(try guest.run("thaw") == 0)
            #expect(guest.verdict == "application-consistent", "\(guest.log)")
            #expect(try guest.run("thaw") == 0)
        }
    }

    @Test func `A Galera node is recognised`() throws {
        let provider = "/usr/lib/galera/libgalera_smm.so"
        guard Files.exists(provider) else { throw TestFailure("\(provider) is missing: apt-get install galera-4") }
        let server = try MariaDBServer(on: guest)
        try server.end()
        let node = try MariaDBServer(
            data: server.data, on: guest,
            options: [
                "--wsrep-on=ON", "--wsrep-provider=\(provider)", "--wsrep-cluster-address=gcomm://",
                "--wsrep-new-cluster", "--binlog-format=ROW", "--innodb-autoinc-lock-mode=2",
                "--wsrep-node-address=127.0.0.1",
            ])
        #expect(try guest.run("freeze") == 0)
        #expect(guest.output(of: "50-mariadb").contains("a Galera node (Synced, cluster of 1)"))
        #expect(eventually { (try? node.holdingConnections().count) == 1 })
        #expect(try guest.run("thaw") == 0)
        #expect(guest.verdict == "application-consistent", "\(guest.log)")
        #expect(try node.execute("INSERT INTO load_test.innodb VALUES (1, 1); SELECT 'written'") == "written\n")
    }
}
