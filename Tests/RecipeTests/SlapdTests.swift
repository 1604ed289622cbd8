// SPDX-License-Identifier: Apache-2.0

import TestSupport
import Testing

/// The OpenLDAP recipe.
@Suite struct SlapdTests {
    private let machine: NativeCopyGuest
    private let guest: RecipeGuest

    init() throws {
        for tool in ["slapd", "slapadd", "slapcat"] { _ = try Tools.command(tool, package: "slapd") }
        _ = try Tools.command("ldapadd", package: "ldap-utils")
        machine = try NativeCopyGuest("slapd")
        guest = machine.guest
    }

    private func url(_ name: String) -> String {
        "ldapi://" + guest.path("\(name).sock").replacing("/", with: "%2F")
    }

    /// Starts a server with the configuration that an option names.
    private func start(_ name: String, _ option: String, _ configuration: String) throws -> Server {
        try Server(["slapd", option, configuration, "-h", url(name), "-d", "0"], on: guest) {
            (try? guest.execute(["ldapwhoami", "-x", "-H", url(name)])) != nil
        }
    }

    private func makeDirectories(_ names: String...) throws {
        for name in names { try guest.execute(["mkdir", "-p", guest.path(name)]) }
    }

    /// Makes a server's configuration and its base entry; returns the configuration's directory.
    private func makeServer(_ name: String) throws -> String {
        let configuration = """
            dn: cn=config
            objectClass: olcGlobal
            cn: config

            dn: cn=module{0},cn=config
            objectClass: olcModuleList
            cn: module{0}
            olcModulePath: /usr/lib/ldap
            olcModuleLoad: back_mdb.la
            olcModuleLoad: back_monitor.la

            dn: cn=schema,cn=config
            objectClass: olcSchemaConfig
            cn: schema

            include: file:///etc/ldap/schema/core.ldif

            dn: olcDatabase={1}monitor,cn=config
            objectClass: olcDatabaseConfig
            olcDatabase: {1}monitor

            dn: olcDatabase={2}mdb,cn=config
            objectClass: olcMdbConfig
            olcDatabase: {2}mdb
            olcSuffix: o=example
            olcRootDN: cn=admin,o=example
            olcRootPW: secret
            olcSizeLimit: unlimited
            olcDbDirectory: \(guest.path("\(name)/data"))
            # 10 MiB by default, which the writers fill where cycles take long.
            olcDbMaxSize: 1073741824

            """
        try makeDirectories("\(name)/data", "\(name)/slapd.d")
        try load(configuration, into: 0, "-F", guest.path("\(name)/slapd.d"))
        try load("dn: o=example\nobjectClass: organization\no: example\n", into: 2, "-F", guest.path("\(name)/slapd.d"))
        return guest.path("\(name)/slapd.d")
    }

    /// Loads entries into a database of a server that does not run.
    private func load(_ entries: String, into database: Int, _ option: String, _ configuration: String) throws {
        try Files.write(entries, to: guest.path("entries.ldif"))
        try guest.execute(["slapadd", "-n", "\(database)", option, configuration, "-l", guest.path("entries.ldif")])
    }

    @Test func `What was acknowledged is restored from the copy`() throws {
        let server = try start("ldap", "-F", makeServer("ldap"))
        let place = url("ldap")
        try machine.expectAllThatWasAcknowledged(inCycles: 20) { writer, number in
            "printf 'dn: ou=w\(writer)-\(number),o=example\\nobjectClass: organizationalUnit\\n' | "
                + "ldapadd -x -H \(place) -D cn=admin,o=example -w secret"
        } numbers: { copy in
            // The monitor has no entries to copy.
            #expect(try Files.names(in: copy) == ["database-0.ldif", "database-2.ldif"])
            defer { TemporaryDirectory.remove(guest.path("restored")) }
            try makeDirectories("restored/slapd.d", "restored/data")
            let configuration = guest.path("restored/slapd.d")
            try load(
                Files.text(of: "\(copy)/database-0.ldif").replacing(
                    guest.path("ldap/data"), with: guest.path("restored/data")), into: 0, "-F", configuration)
            try guest.execute(["slapadd", "-n", "2", "-F", configuration, "-l", "\(copy)/database-2.ldif"])
            let restored = try start("restored", "-F", configuration)
            let found = try guest.execute([
                "ldapsearch", "-x", "-LLL", "-H", url("restored"), "-b", "o=example", "(ou=w*)", "ou",
            ])
            try restored.end()
            return found.split(separator: "\n").filter { $0.hasPrefix("ou: ") }.map { String($0.dropFirst(4)) }
                .numbers(of: 3)
        }
        try server.end()
    }

    @Test func `Two servers have copies of their own`() throws {
        let first = try start("first", "-F", makeServer("first"))
        let second = try start("second", "-F", makeServer("second"))
        try machine.runCycle()
        let instances = try machine.instances()
        #expect(instances.count == 2, "\(instances)")
        for instance in instances { #expect(try machine.madeCopies(of: instance).count == 1) }
        try first.end()
        try second.end()
    }

    /// Databases are counted over all files, and only those with entries are copied.
    @Test func `The old configuration is read with the files that it includes`() throws {
        try makeDirectories("one", "two")
        let head = """
            include /etc/ldap/schema/core.schema
            modulepath /usr/lib/ldap
            moduleload back_mdb.la
            moduleload back_monitor.la
            database config

            """
        func database(_ name: String) -> String {
            "database mdb\nsuffix \"o=\(name)\"\nrootdn \"cn=admin,o=\(name)\"\ndirectory \(guest.path(name))\n"
        }
        try Files.write(database("one"), to: guest.path("included.conf"))
        try Files.write(
            head + "include \"\(guest.path("included.conf"))\"\ndatabase monitor\n" + database("two"),
            to: guest.path("slapd.conf"))
        for (number, name) in [(1, "one"), (3, "two")] {
            try load(
                "dn: o=\(name)\nobjectClass: organization\no: \(name)\n", into: number, "-f", guest.path("slapd.conf"))
        }
        let server = try start("ldap", "-f", guest.path("slapd.conf"))
        let copy = try machine.copyInCycle()
        #expect(try Files.names(in: copy) == ["database-1.ldif", "database-3.ldif", "slapd.conf"])
        for (number, name) in [(1, "one"), (3, "two")] {
            #expect(Files.text(of: "\(copy)/database-\(number).ldif").hasPrefix("dn: o=\(name)\n"))
        }
        try server.end()
    }

    /// slapcat(8) warns of all backends but mdb.
    @Test func `A database that must not be written meanwhile is refused`() throws {
        try makeDirectories("files")
        try Files.write(
            """
            include /etc/ldap/schema/core.schema
            database ldif
            suffix o=files
            directory \(guest.path("files"))

            """, to: guest.path("slapd.conf"))
        let server = try start("ldap", "-f", guest.path("slapd.conf"))
        #expect(try machine.reasonOfFailure() == "no copy: database 1 (ldif) cannot be copied while slapd runs")
        #expect(try machine.files() == [])
        try server.end()
    }

    @Test func `A tool that fails in the middle leaves nothing`() throws {
        let server = try start("ldap", "-F", makeServer("ldap"))
        let real = try Tools.command("slapcat", package: "slapd")
        try machine.replace(
            "slapcat",
            by: "case \"$*\" in *' -n 2 '*) echo 'slapcat: bad entry' >&2; exit 1 ;; esac\nexec '\(real)' \"$@\"")
        #expect(try machine.reasonOfFailure() == "no copy: slapcat: bad entry")
        #expect(try machine.files() == [])
        try server.end()
    }
}
