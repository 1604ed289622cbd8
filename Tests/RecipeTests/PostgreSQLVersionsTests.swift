// SPDX-License-Identifier: Apache-2.0

import TestSupport
import Testing

/// The versions that no package of this system has, with a client that answers as theirs.
@Suite struct PostgreSQLVersionsTests {
    private let guest: RecipeGuest

    init() throws {
        guest = try RecipeGuest()
        try guest.enable("postgresql")
    }

    @Test(arguments: [
        (120019, "pg_start_backup(:label, true, false)", "pg_stop_backup(false, false)"),
        (140012, "pg_start_backup(:label, true, false), set_config(", "pg_stop_backup(false, false)"),
        (150000, "pg_backup_start(:label, true), set_config(", "pg_backup_stop(false)"),
        (180001, "pg_backup_start(:label, true), set_config(", "pg_backup_stop(false)"),
    ])
    func `Each version has its functions`(version: Int, start: String, stop: String) throws {
        let labels = try guest.makeDirectory("labels", owner: "root")
        let script = """
            #!/bin/sh
            while read -r line; do
                printf '%s\\n' "$line" >>'\(guest.path("statements"))'
                case $line in
                *server_version_num*) echo \(version) ;;
                *held*) echo 'held by an open backup' ;;
                *spcmapfile*) printf 'backup_label START WAL LOCATION: 0/2\\nbackup_label LABEL: x\\ntablespace_map 16385 /space\\n' ;;
                *server_version*) echo 'of the test' ;;
                esac
            done

            """
        try Files.write(script, to: guest.path("client"), mode: 0o755)
        try guest.configure(
            "postgresql",
            "client = \(guest.path("client"))\nmode = session\nlabel-directory = \(labels)\n[db]\nhost = /run\n")
        #expect(try guest.run("freeze") == 0)
        #expect(try guest.run("thaw") == 0)
        #expect(guest.verdict == "application-consistent", "\(guest.log)")
        let statements = Files.text(of: guest.path("statements"))
        #expect(statements.contains("FROM (SELECT \(start)"))
        #expect(statements.contains("FROM \(stop)"))
        let names = try Files.names(in: labels)
        #expect(names.count == 2)
        for name in names {
            let isLabel = name.hasSuffix(".backup_label")
            #expect(
                Files.text(of: "\(labels)/\(name)")
                    == (isLabel ? "START WAL LOCATION: 0/2\nLABEL: x\n" : "16385 /space\n"))
        }
    }

    @Test func `A session needs a place for its labels`() throws {
        try guest.configure("postgresql", "mode = session\n[db]\nhost = /run\n")
        #expect(try guest.run("freeze") == 0)
        #expect(guest.output(of: "50-postgresql").last?.contains("label-directory has to be a directory") == true)
        #expect(guest.ending(of: "50-postgresql")?.contains("status=1") == true)
        #expect(try guest.run("thaw") == 0)
    }
}
