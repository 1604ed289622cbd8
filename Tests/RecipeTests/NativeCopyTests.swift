import Foundation
import TestSupport
import Testing

/// Recipes whose application makes a copy of its own in `prepare`: each copy is restored with the application's own tool.
@Suite("The recipes with native copies")
struct NativeCopyTests {
    private let guest: RecipeGuest

    init() throws {
        guest = try RecipeGuest()
    }

    /// Enables a recipe with its copies below the machine's directory.
    private func enable(_ recipe: String, _ settings: String = "") throws {
        try guest.enable(recipe, as: "40-\(recipe)")
        try guest.configure(recipe, "directory = \(copies)\n\(settings)")
    }

    private var copies: String { guest.path("copies") }

    /// The copies of the one instance, the oldest first.
    private func madeCopies() throws -> [String] {
        let instances = try Files.names(in: copies)
        #expect(instances.count == 1, "\(instances)")
        guard let instance = instances.first else { return [] }
        return try Files.names(in: "\(copies)/\(instance)").map { "\(copies)/\(instance)/\($0)" }
    }

    /// Runs a whole cycle that is expected to be good; returns its copy.
    private func copyInCycle() throws -> String {
        #expect(try guest.run("freeze") == 0)
        #expect(try guest.run("thaw") == 0)
        #expect(guest.verdict?.hasPrefix("native-copy: ") == true, "\(guest.log)")
        guard let newest = try madeCopies().last else { throw TestFailure("no copy: \(guest.log)") }
        return newest
    }

    // MARK: - etcd

    private func startEtcd(_ name: String = "etcd", port: Int = 2379) throws -> Server {
        _ = try Tools.command("etcd", package: "etcd-server")
        return try Server(
            [
                "etcd", "--data-dir", guest.path(name), "--listen-client-urls", "http://127.0.0.1:\(port)",
                "--advertise-client-urls", "http://127.0.0.1:\(port)", "--listen-peer-urls",
                "http://127.0.0.1:\(port + 1)",
            ], on: guest
        ) { (try? etcdctl(port: port, "endpoint", "health")) != nil }
    }

    @discardableResult
    private func etcdctl(port: Int = 2379, _ words: String...) throws -> String {
        try guest.execute(
            ["etcdctl", "--endpoints=http://127.0.0.1:\(port)"] + words, environment: ["ETCDCTL_API": "3"])
    }

    @Test func etcdIsRestoredFromItsCopy() throws {
        try enable("etcd")
        let server = try startEtcd()
        for number in 1...50 { try etcdctl("put", "key-\(number)", "\(number)") }
        let copy = try copyInCycle()
        try server.end()
        try guest.execute(
            ["etcdctl", "snapshot", "restore", "\(copy)/snapshot.db", "--data-dir", guest.path("restored")],
            environment: ["ETCDCTL_API": "3"])
        let restored = try startEtcd("restored")
        let values = try etcdctl("get", "--prefix", "key-", "--print-value-only").split(separator: "\n")
        #expect(Set(values) == Set((1...50).map { Substring("\($0)") }))
        try restored.end()
    }

    @Test func twoMembersHaveCopiesOfTheirOwn() throws {
        try enable("etcd")
        let first = try startEtcd()
        let second = try startEtcd("second", port: 3379)
        #expect(try guest.run("freeze") == 0)
        #expect(try guest.run("thaw") == 0)
        #expect(guest.verdict?.hasPrefix("native-copy: ") == true, "\(guest.log)")
        #expect(try Files.names(in: copies) == ["127.0.0.1-2379", "127.0.0.1-3379"])
        try first.end()
        try second.end()
    }

    @Test func oldCopiesGo() throws {
        try enable("etcd", "copies = 3\n")
        let server = try startEtcd()
        var made: [String] = []
        for _ in 1...5 {
            made.append(try copyInCycle())
            sleep(1)
        }
        #expect(try madeCopies() == Array(made.suffix(3)))
        try server.end()
    }

    @Test func aFullDiskIsNotFilledAndTold() throws {
        try enable("etcd", "keep-free = 1\n")
        let server = try startEtcd()
        try etcdctl("put", "large", String(repeating: "x", count: 100_000))
        try guest.execute(["mkdir", copies])
        try guest.execute(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", copies])
        #expect(try guest.run("freeze") == 0)
        #expect(guest.ending(of: "40-etcd", "prepare")?.contains("status=1") == true, "\(guest.log)")
        #expect(guest.output(of: "40-etcd").last?.contains("there is no copy of this cycle") == true)
        #expect(try guest.execute(["find", copies, "-type", "f"]) == "")
        #expect(try guest.run("thaw") == 0)
        #expect(guest.verdict?.hasPrefix("crash-consistent") == true)

        try guest.configure("etcd", "directory = \(copies)\nkeep-free = 100\n")
        #expect(try guest.run("freeze") == 0)
        #expect(guest.output(of: "40-etcd").contains { $0.hasPrefix("less than 100 % of the filesystem") })
        #expect(try guest.run("thaw") == 0)
        try server.end()
    }

    @Test func aToolThatFailsOrHangsLeavesNothingThatLooksWhole() throws {
        try enable("etcd")
        let server = try startEtcd()
        try Files.write(
            "#!/bin/sh\necho half >\"$7\"\necho 'Error: snapshot failed' >&2\nexit 3\n", to: guest.path("etcdctl"),
            mode: 0o755)
        #expect(try guest.run("freeze") == 0)
        #expect(guest.output(of: "40-etcd").contains("no copy: Error: snapshot failed"), "\(guest.log)")
        #expect(try madeCopies() == [])
        #expect(try guest.run("thaw") == 0)

        try Files.write("#!/bin/sh\nexec sleep 100\n", to: guest.path("etcdctl"), mode: 0o755)
        try guest.configure("etcd", "directory = \(copies)\ntimeout = 1\n")
        #expect(try guest.run("freeze") == 0)
        #expect(guest.output(of: "40-etcd").contains("the copy was not finished within 1 s"), "\(guest.log)")
        #expect(try madeCopies() == [])
        #expect(try guest.run("thaw") == 0)

        // Ended by the program's own limit in the middle.
        try guest.configure("etcd", "directory = \(copies)\n")
        try guest.configure("[hook etcd]\ntimeout = 1s\n")
        #expect(try guest.run("freeze") == 0)
        #expect(try madeCopies().allSatisfy { $0.contains("/unfinished.") })
        #expect(guest.output(of: "40-etcd").last?.contains("there is no copy of this cycle") == true)
        #expect(try guest.run("thaw") == 0)
        #expect(guest.verdict?.hasPrefix("crash-consistent") == true)

        unlink(guest.path("etcdctl"))
        try guest.configure("")
        #expect(try !copyInCycle().contains("unfinished"))
        #expect(try madeCopies().count == 1)
        try server.end()
    }

    @Test(arguments: ["etcd", "influxdb", "slapd", "rabbitmq"]) func whatDoesNotRunIsSkipped(recipe: String) throws {
        try enable(recipe)
        #expect(try guest.run("freeze") == 0)
        for action in ["prepare", "freeze"] {
            #expect(guest.ending(of: "40-\(recipe)", action)?.contains("status=77") == true, "\(guest.log)")
        }
        #expect(try guest.run("thaw") == 0)
        #expect(guest.verdict == "crash-consistent: no hook ran")
        #expect(!Files.exists(copies))
    }

    @Test(arguments: ["/bin/dash", "/bin/bash", "/bin/busybox sh"]) func everyShellRunsIt(shell: String) throws {
        try guest.enable("etcd", runBy: shell)
        try guest.configure("etcd", "directory = \(copies)\n")
        let server = try startEtcd()
        _ = try copyInCycle()
        #expect(try guest.run("thaw") == 0)
        try server.end()
    }

    // MARK: - InfluxDB

    private func startInfluxDB(_ name: String) throws -> Server {
        _ = try Tools.command("influxd", package: "influxdb")
        let configuration = """
            bind-address = "127.0.0.1:8088"
            reporting-disabled = true
            [meta]
            dir = "\(guest.path(name))/meta"
            [data]
            dir = "\(guest.path(name))/data"
            wal-dir = "\(guest.path(name))/wal"
            [http]
            bind-address = "127.0.0.1:8086"
            """
        try Files.write(configuration, to: guest.path("\(name).conf"))
        return try Server(["influxd", "-config", guest.path("\(name).conf")], on: guest) {
            (try? influx("SHOW DATABASES")) != nil
        }
    }

    @discardableResult
    private func influx(_ statement: String) throws -> String {
        try guest.execute(["influx", "-database", "numbers", "-execute", statement])
    }

    @Test func influxDBIsRestoredFromItsCopy() throws {
        _ = try Tools.command("influx", package: "influxdb-client")
        try enable("influxdb")
        let server = try startInfluxDB("influx")
        try influx("CREATE DATABASE numbers")
        for number in 1...50 { try influx("INSERT point value=\(number) \(number)") }
        let copy = try copyInCycle()
        try server.end()
        let restored = try startInfluxDB("restored")
        try guest.execute(["influxd", "restore", "-portable", "-host", "127.0.0.1:8088", copy])
        let count = try influx("SELECT COUNT(value), MAX(value) FROM point")
        #expect(
            count.split(separator: "\n").last?.split(separator: " ").map(String.init) == ["0", "50", "50"], "\(count)")
        try restored.end()
    }

    // MARK: - OpenLDAP

    private func ldapURL(_ name: String) -> String {
        "ldapi://" + guest.path("\(name).sock").replacingOccurrences(of: "/", with: "%2F")
    }

    private func startSlapd(_ name: String) throws -> Server {
        try Server(["slapd", "-F", guest.path("\(name)/slapd.d"), "-h", ldapURL(name), "-d", "0"], on: guest) {
            (try? guest.start(["ldapwhoami", "-x", "-H", ldapURL(name)]).wait(within: 20).status) == 0
        }
    }

    private func makeDirectory(of name: String) throws {
        for directory in ["", "/slapd.d", "/data"] { try guest.execute(["mkdir", guest.path(name) + directory]) }
    }

    @Test func openLDAPIsRestoredFromItsCopy() throws {
        for tool in ["slapd", "slapadd", "slapcat"] { _ = try Tools.command(tool, package: "slapd") }
        _ = try Tools.command("ldapadd", package: "ldap-utils")
        try enable("slapd")
        try makeDirectory(of: "ldap")
        let configuration = """
            dn: cn=config
            objectClass: olcGlobal
            cn: config

            dn: cn=module{0},cn=config
            objectClass: olcModuleList
            cn: module{0}
            olcModulePath: /usr/lib/ldap
            olcModuleLoad: back_mdb.la

            dn: cn=schema,cn=config
            objectClass: olcSchemaConfig
            cn: schema

            include: file:///etc/ldap/schema/core.ldif

            dn: olcDatabase={1}mdb,cn=config
            objectClass: olcMdbConfig
            olcDatabase: {1}mdb
            olcSuffix: o=example
            olcRootDN: cn=admin,o=example
            olcRootPW: secret
            olcDbDirectory: \(guest.path("ldap/data"))

            """
        try Files.write(configuration, to: guest.path("config.ldif"))
        try guest.execute(["slapadd", "-n", "0", "-F", guest.path("ldap/slapd.d"), "-l", guest.path("config.ldif")])
        let server = try startSlapd("ldap")
        let entries =
            "dn: o=example\nobjectClass: organization\no: example\n"
            + (1...50).map { "\ndn: ou=unit-\($0),o=example\nobjectClass: organizationalUnit\nou: unit-\($0)\n" }
            .joined()
        try Files.write(entries, to: guest.path("entries.ldif"))
        try guest.execute(
            [
                "ldapadd", "-x", "-H", ldapURL("ldap"), "-D", "cn=admin,o=example", "-w", "secret", "-f",
                guest.path("entries.ldif"),
            ])
        let copy = try copyInCycle()
        #expect(try Files.names(in: copy) == ["database-0.ldif", "database-1.ldif"])
        try server.end()

        try makeDirectory(of: "restored")
        try Files.write(
            Files.text(of: "\(copy)/database-0.ldif").replacingOccurrences(
                of: guest.path("ldap/data"), with: guest.path("restored/data")), to: guest.path("moved.ldif"))
        try guest.execute(["slapadd", "-n", "0", "-F", guest.path("restored/slapd.d"), "-l", guest.path("moved.ldif")])
        try guest.execute(["slapadd", "-n", "1", "-F", guest.path("restored/slapd.d"), "-l", "\(copy)/database-1.ldif"])
        let restored = try startSlapd("restored")
        let found = try guest.execute(
            ["ldapsearch", "-x", "-LLL", "-H", ldapURL("restored"), "-b", "o=example", "(ou=unit-*)", "dn"])
        #expect(found.split(separator: "\n").filter { $0.hasPrefix("dn: ") }.count == 50)
        try restored.end()
    }

    // MARK: - RabbitMQ

    @Test func rabbitMQIsRestoredFromItsCopy() throws {
        _ = try Tools.command("rabbitmqctl", package: "rabbitmq-server")
        try enable("rabbitmq")
        // What Debian's own scripts expect; /var is the machine's own.
        for place in ["/var/lib/rabbitmq", "/var/log/rabbitmq"] {
            try guest.execute(["install", "-d", "-o", "rabbitmq", "-g", "rabbitmq", place])
        }
        let server = try startRabbitMQ()
        try rabbitmqctl("add_vhost", "shop")
        for number in 1...5 { try rabbitmqctl("add_user", "user-\(number)", "password-\(number)") }
        let copy = try copyInCycle()
        for number in 1...5 { try rabbitmqctl("delete_user", "user-\(number)") }
        try rabbitmqctl("delete_vhost", "shop")
        try guest.execute(["cp", "\(copy)/definitions.json", "/var/lib/rabbitmq/definitions.json"])
        try guest.execute(["chown", "rabbitmq", "/var/lib/rabbitmq/definitions.json"])
        try rabbitmqctl("import_definitions", "/var/lib/rabbitmq/definitions.json")
        let users = try rabbitmqctl("list_users")
        #expect((1...5).allSatisfy { users.contains("user-\($0)\t") })
        #expect(try rabbitmqctl("list_vhosts").contains("shop"))
        #expect(try rabbitmqctl("authenticate_user", "user-3", "password-3").contains("Success"))
        try server.end()
    }

    private let node = ["RABBITMQ_NODENAME": "rabbit@localhost"]

    private func startRabbitMQ() throws -> Server {
        try Server(
            [
                "setpriv", "--reuid=rabbitmq", "--regid=rabbitmq", "--clear-groups", "--",
                "/usr/lib/rabbitmq/bin/rabbitmq-server",
            ],
            on: guest, environment: node.merging(["HOME": "/var/lib/rabbitmq"]) { $1 }
        ) { (try? rabbitmqctl("await_startup", "--timeout", "1")) != nil }
    }

    @discardableResult
    private func rabbitmqctl(_ words: String...) throws -> String {
        try guest.execute(["rabbitmqctl", "--node", "rabbit@localhost", "--silent"] + words)
    }
}
