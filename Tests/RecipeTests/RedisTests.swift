// SPDX-License-Identifier: Apache-2.0

import Glibc
import TestSupport
import Testing

/// The Redis recipe.
@Suite struct RedisTests {
    private let guest: RecipeGuest

    init() throws {
        guest = try RecipeGuest()
        try guest.enable("redis")
    }

    /// The way in which a server keeps its data.
    enum Persistence: CaseIterable {
        case rdb, appendOnly, both

        var options: [String] {
            switch self {
            case .rdb: ["--save", "3600 1"]
            case .appendOnly: ["--save", "", "--appendonly", "yes"]
            case .both: ["--save", "3600 1", "--appendonly", "yes"]
            }
        }
    }

    private let rdb = Persistence.rdb.options

    @Test(arguments: Persistence.allCases)
    func `What was acknowledged is in the copy and nothing else`(persistence: Persistence) throws {
        let server = try RedisServer(on: guest, options: persistence.options)
        let load = server.startLoad()
        defer { load.stop() }
        for _ in 1...20 {
            let cycle = try HeldCycle(on: guest, under: load) { try server.copyFiles(to: "copy") }
            if persistence == .rdb { try guest.execute(["redis-check-rdb", guest.path("copy/dump.rdb")]) }
            try server.inspect("copy") { copy in
                cycle.expectExact(try copy.numbers(of: cycle.atFreeze.count))
            }
        }
        #expect(guest.runFiles == [])
    }

    /// The data lie on a filesystem of the test's own, which is really frozen; nobody thaws. A server without a pause
    /// waits for its append-only file, and answers nobody.
    @Test func `A server on a frozen disk holds up nobody`() throws {
        let disk = guest.path("disk")
        try guest.execute([
            "/bin/sh", "-ec",
            "truncate -s 100M '\(disk).image'; mkfs.ext4 -q '\(disk).image'; mkdir '\(disk)'; mount -o loop '\(disk).image' '\(disk)'",
        ])
        let server = try RedisServer("disk/redis", on: guest, options: Persistence.appendOnly.options)
        try guest.configure("hold-limit = 1s\nkill-grace = 1s\n")
        #expect(try guest.run("freeze") == 0)
        let writer = try guest.start(server.client + ["SET", "a", "1"])
        try guest.execute(["fsfreeze", "--freeze", disk])
        let guards = { Processes.mentioning(guest.path("")).filter { Processes.commandLine(of: $0).contains("guard") } }
        #expect(!guards().isEmpty)
        #expect(eventually(within: 60) { guards().isEmpty })
        try guest.execute(["fsfreeze", "--unfreeze", disk])
        #expect(try writer.wait(within: 20).stdout == "OK\n")
        #expect(try guest.run("thaw") == 0)
        #expect(guest.verdict?.hasPrefix("crash-consistent") == true, "\(guest.log)")
        // Each step otherwise has 10 s, for which the thaws of other applications wait.
        let seconds = guest.log.compactMap {
            $0.firstMatch(of: #/-redis finished .* in ([0-9.]+) s/#).flatMap { Double($0.1) }
        }
        #expect(seconds.count >= 2 && seconds.allSatisfy { $0 < 8 }, "\(guest.log)")
        #expect(try server.execute("SET", "b", "1") == "OK\n")
        try server.end()
        try guest.execute(["umount", disk])
    }

    @Test func `Without the recipe all since the last save is lost`() throws {
        let server = try RedisServer(on: guest, options: rdb)
        let load = server.startLoad()
        defer { load.stop() }
        try load.advance(by: 100)
        try server.copyFiles(to: "copy")
        try server.inspect("copy") { copy in
            let size = try copy.execute("DBSIZE")
            #expect(size == "0\n")
        }
    }

    @Test func `A save that fails is reported`() throws {
        let server = try RedisServer(on: guest, options: rdb)
        try server.execute("SET", "a", "1")
        // A save cannot be renamed to a directory.
        try guest.execute(["mkdir", "\(server.directory)/dump.rdb"])
        #expect(try guest.run("freeze") == 0)
        #expect(guest.output(of: "50-redis").last?.contains("the save has failed") == true, "\(guest.log)")
        #expect(guest.ending(of: "50-redis")?.contains("status=1") == true)
        // After a failed freeze writers are not held.
        try guest.execute(["rmdir", "\(server.directory)/dump.rdb"])
        let answer = try guest.start(server.client + ["SET", "a", "2"]).wait(within: 10).stdout
        // The server itself refuses writes: stop-writes-on-bgsave-error.
        #expect(answer.hasPrefix("MISCONF"))
        #expect(try guest.run("thaw") == 0)
        #expect(guest.verdict?.hasPrefix("crash-consistent") == true)
    }

    @Test func `A rewrite of the append-only file is waited for`() throws {
        let server = try RedisServer(on: guest, options: rdb + ["--appendonly", "yes"])
        try server.execute("SET", "a", "1")
        try server.execute("CONFIG", "SET", "rdb-key-save-delay", "100000")
        try server.execute("BGREWRITEAOF")
        try server.execute("CONFIG", "SET", "appendonly", "no")
        try server.execute("SET", "a", "2")
        #expect(try guest.run("freeze") == 0)
        try server.copyFiles(to: "copy")
        #expect(try guest.run("thaw") == 0)
        #expect(guest.verdict == "application-consistent", "\(guest.log)")
    }

    @Test func `A server that is killed in the window is reported`() throws {
        let server = try RedisServer(on: guest, options: rdb)
        #expect(try guest.run("freeze") == 0)
        try server.end(SIGKILL)
        let begin = monotonicSeconds()
        #expect(try guest.run("thaw") == 0)
        #expect(monotonicSeconds() - begin < 5)
        #expect(guest.verdict?.hasPrefix("crash-consistent") == true, "\(guest.log)")
        try server.start()
        #expect(try guest.run("freeze") == 0)
        #expect(try guest.run("thaw") == 0)
        #expect(guest.verdict == "application-consistent", "\(guest.log)")
    }

    @Test func `A pause that ends too early is reported`() throws {
        let server = try RedisServer(on: guest, options: rdb)
        #expect(try guest.run("freeze") == 0)
        try server.execute("CLIENT", "UNPAUSE")
        #expect(try guest.run("thaw") == 0)
        #expect(guest.verdict?.contains("the pause has ended") == true, "\(guest.log)")

        try guest.configure("redis", "pause = 1\n")
        #expect(try guest.run("freeze") == 0)
        usleep(1_500_000)
        #expect(try guest.run("thaw") == 0)
        #expect(guest.verdict?.contains("the pause has ended") == true, "\(guest.log)")
    }

    @Test func `A server that is replaced in the window is reported`() throws {
        let server = try RedisServer(on: guest, options: rdb)
        #expect(try guest.run("freeze") == 0)
        try server.end(SIGKILL)
        try server.start()
        #expect(try guest.run("thaw") == 0)
        #expect(guest.verdict?.hasPrefix("crash-consistent") == true, "\(guest.log)")
    }

    @Test func `A server that does not run or keeps nothing is skipped`() throws {
        #expect(try guest.run("freeze") == 0)
        #expect(guest.ending(of: "50-redis")?.contains("status=77") == true)
        #expect(guest.output(of: "50-redis").allSatisfy { $0 == "redis is not running here" })
        #expect(try guest.run("thaw") == 0)
        let cache = try RedisServer(on: guest, options: ["--save", ""])
        try cache.execute("SET", "a", "1")
        #expect(try guest.run("freeze") == 0)
        #expect(guest.ending(of: "50-redis")?.contains("status=77") == true)
        #expect(guest.output(of: "50-redis").last?.hasPrefix("it keeps nothing on the disk") == true)
        #expect(try guest.run("thaw") == 0)
    }

    @Test func `Every server of the machine is held`() throws {
        let servers = try ["one", "two"].map { try RedisServer($0, on: guest, options: rdb) }
        let byPort = try RedisServer(
            "three", on: guest, options: rdb + ["--unixsocket", "", "--port", "6390", "--bind", "127.0.0.1"],
            reachedBy: ["-p", "6390"])
        #expect(try guest.run("freeze") == 0)
        let written = try (servers + [byPort]).map { try guest.start($0.client + ["SET", "a", "1"]) }
        usleep(300_000)
        #expect(written.allSatisfy { $0.isRunning })
        #expect(try guest.run("thaw") == 0)
        #expect(try written.map { try $0.wait(within: 10).stdout } == ["OK\n", "OK\n", "OK\n"])
        #expect(guest.verdict == "application-consistent", "\(guest.log)")
    }

    @Test func `A replica is not held and named as one`() throws {
        let primary = try RedisServer("primary", on: guest, options: rdb + ["--port", "6391", "--bind", "127.0.0.1"])
        let replica = try RedisServer("replica", on: guest, options: rdb + ["--replicaof", "127.0.0.1 6391"])
        try guest.configure("redis", "[replica]\nsocket = \(replica.socket)\n")
        try primary.execute("SET", "a", "1")
        #expect(eventually { (try? replica.execute("GET", "a")) == "1\n" })
        #expect(try guest.run("freeze") == 0)
        #expect(guest.output(of: "50-redis").last?.contains("a replica: rdb is on the disk") == true, "\(guest.log)")
        #expect(try guest.run("thaw") == 0)
        #expect(guest.verdict == "application-consistent", "\(guest.log)")
        try replica.copyFiles(to: "copy")
        let copy = try RedisServer("copy", on: guest, options: rdb)
        #expect(try copy.execute("GET", "a") == "1\n")
    }

    @Test func `A password is used and shown nowhere`() throws {
        let server = try RedisServer(on: guest, options: rdb)
        try server.execute(
            "ACL", "SETUSER", "backup", "on", ">correct-horse", "&*", "+client|pause", "+client|unpause", "+info",
            "+bgsave", "+publish", "+config|get")
        try server.execute("CONFIG", "SET", "requirepass", "for-the-default-user")
        for (password, status) in [("correct-horse", "status=0"), ("wrong-horse", "status=1")] {
            try guest.configure(
                "redis", "[db]\nsocket = \(server.socket)\nuser = backup\npassword = \(password)\n")
            #expect(try guest.run("freeze") == 0)
            #expect(guest.ending(of: "50-redis")?.contains(status) == true, "\(guest.log)")
            let commands = (try Files.names(in: "/proc")).compactMap { pid_t($0) }.map(Processes.commandLine)
            #expect(!commands.contains { $0.contains("\(password)") && !$0.hasPrefix("redis-server") })
            #expect(try guest.run("thaw") == 0)
        }
        #expect(!Files.text(of: guest.path("log")).contains("-horse"))
        #expect(guest.output(of: "50-redis").contains { $0.contains("WRONGPASS") })
        // The user may not pause clients.
        try guest.configure("redis", "[db]\nsocket = \(server.socket)\npassword = for-the-default-user\n")
        try guest.execute(
            ["env", "REDISCLI_AUTH=for-the-default-user"] + server.client + [
                "ACL", "SETUSER", "default", "-client|pause",
            ])
        #expect(try guest.run("freeze") == 0)
        #expect(guest.output(of: "50-redis").contains { $0.contains("NOPERM") })
        #expect(guest.ending(of: "50-redis")?.contains("status=1") == true)
        #expect(try guest.run("thaw") == 0)
    }

    @Test(arguments: ["/bin/dash", "/bin/bash", "/bin/busybox sh"]) func `Every shell runs the recipe`(shell: String)
        throws
    {
        let guest = try RecipeGuest()
        try guest.enable("redis", runBy: shell)
        let server = try RedisServer(on: guest, options: rdb)
        for value in ["1", "2"] {
            #expect(try guest.run("freeze") == 0)
            #expect(try guest.run("freeze") == 0)
            let write = try guest.start(server.client + ["SET", "a", value])
            usleep(200_000)
            #expect(write.isRunning)
            #expect(try guest.run("thaw") == 0)
            #expect(guest.verdict == "application-consistent", "\(guest.log)")
            #expect(try write.wait(within: 10).stdout == "OK\n")
            #expect(try guest.run("thaw") == 0)
        }
    }

    @Test func `A server before 6.2 is saved and not held`() throws {
        let client = """
            #!/bin/sh
            while read -r line; do
                case $line in
                INFO*)
                    [ -e '\(guest.path("saved"))' ] && changes=0 || changes=3
                    printf 'redis_version:6.0.16\\r\\nredis_mode:standalone\\r\\nrole:master\\r\\naof_enabled:0\\r\\n'
                    printf 'rdb_bgsave_in_progress:0\\r\\naof_rewrite_in_progress:0\\r\\n'
                    printf 'rdb_changes_since_last_save:%s\\r\\nrdb_last_bgsave_status:ok\\r\\n' $changes
                    ;;
                CONFIG*) printf 'save\\n3600 1\\n' ;;
                BGSAVE) echo 'Background saving started'; touch '\(guest.path("saved"))' ;;
                *) echo "ERR unknown command '$line'" ;;
                esac
            done

            """
        try Files.write(client, to: guest.path("client"), mode: 0o755)
        try guest.configure("redis", "client = \(guest.path("client"))\n[old]\n")
        #expect(try guest.run("freeze") == 0)
        #expect(
            guest.output(of: "50-redis").last == "6.0.16, old: rdb is on the disk, writers are not held", "\(guest.log)"
        )
        #expect(try guest.run("thaw") == 0)
        #expect(guest.verdict == "application-consistent")
    }
}
