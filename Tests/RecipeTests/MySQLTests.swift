// SPDX-License-Identifier: Apache-2.0

import Glibc
import TestSupport
import Testing

/// The servers that no package of this system has, with a client that answers as theirs.
@Suite struct MySQLTests {
    private let guest: RecipeGuest

    init() throws {
        guest = try RecipeGuest()
        try guest.enable("mariadb")
    }

    /// A client that notes its input, knows the server's variables and ends at a failing statement.
    private func serve(
        version: String, comment: String = "", failing: String = "none", error: String = ""
    ) throws {
        let script = """
            #!/bin/sh
            echo "$*" >>'\(guest.path("options"))'
            number=0
            while read -r line; do
                number=$((number + 1))
                printf '%s\\n' "$line" >>'\(guest.path("statements"))'
                case $line in
                *'\(failing)'*) echo "ERROR \(error)" >&2; exit 1 ;;
                *version_comment*) printf 'version\\t\(version)\\nversion_comment\\t\(comment)\\n' ;;
                *SELECT*) printf '%s\\n' "$line" | sed "s/.*SELECT '//; s/'.*//" ;;
                esac
            done

            """
        try Files.write(script, to: guest.path("client"), mode: 0o755)
        try guest.configure(
            "mariadb",
            "client = \(guest.path("client"))\nlock-wait = 3\n[shop]\nsocket = /run/shop.sock\nuser = backup\n")
    }

    private var statements: [String] {
        Files.text(of: guest.path("statements")).split(separator: "\n").map(String.init)
    }

    @Test(arguments: [
        (
            "8.0.36", "MySQL Community Server - GPL", "LOCK INSTANCE FOR BACKUP; FLUSH TABLES WITH READ LOCK;",
            "UNLOCK TABLES; UNLOCK INSTANCE;"
        ),
        (
            "8.4.0-log", "MySQL Community Server - GPL", "LOCK INSTANCE FOR BACKUP; FLUSH TABLES WITH READ LOCK;",
            "UNLOCK TABLES; UNLOCK INSTANCE;"
        ),
        ("8.0.36-28", "Percona Server (GPL), Release 28", "LOCK TABLES FOR BACKUP;", "UNLOCK TABLES;"),
        ("5.7.44", "MySQL Community Server (GPL)", "FLUSH TABLES WITH READ LOCK;", "UNLOCK TABLES;"),
        ("10.3.39-MariaDB", "", "FLUSH TABLES WITH READ LOCK;", "UNLOCK TABLES;"),
        ("10.4.0-MariaDB", "", "FLUSH TABLES WITH READ LOCK;", "UNLOCK TABLES;"),
        (
            "11.4.2-MariaDB", "",
            "BACKUP STAGE START; BACKUP STAGE FLUSH; BACKUP STAGE BLOCK_DDL; BACKUP STAGE BLOCK_COMMIT;",
            "BACKUP STAGE END;"
        ),
    ])
    func `Each server is held its own way`(version: String, comment: String, lock: String, release: String) throws {
        try serve(version: version, comment: comment)
        #expect(try guest.run("freeze") == 0)
        #expect(statements.contains { $0.contains("lock_wait_timeout = 3") })
        #expect(statements.contains(lock))
        #expect(!statements.contains(release))
        #expect(try guest.run("thaw") == 0)
        #expect(statements.last == release)
        #expect(guest.verdict == "application-consistent", "\(guest.log)")
        #expect(Files.text(of: guest.path("options")).contains("--socket=/run/shop.sock --user=backup"))
    }

    @Test(arguments: [
        ("FLUSH TABLES", "1205 (HY000) at line 2: Lock wait timeout exceeded; try restarting transaction"),
        (
            "LOCK INSTANCE",
            "1227 (42000) at line 2: Access denied; you need (at least one of) the BACKUP_ADMIN privilege(s)"
        ),
        ("version_comment", "1045 (28000): Access denied for user 'backup'@'localhost' (using password: NO)"),
        ("version_comment", "2002 (HY000): Can't connect to local MySQL server through socket '/run/shop.sock' (13)"),
    ])
    func `A refusal of the server is reported`(failing: String, error: String) throws {
        try serve(version: "8.0.36", failing: failing, error: error)
        #expect(try guest.run("freeze") == 0)
        let isMissing = error.hasPrefix("2002")
        #expect(guest.ending(of: "50-mariadb")?.contains(isMissing ? "status=77" : "status=1") == true, "\(guest.log)")
        #expect(guest.output(of: "50-mariadb").contains { $0.contains(error) })
        #expect(guest.runFiles.filter { $0.hasPrefix("hold-") || $0.hasPrefix("recipe-") } == [])
        #expect(try guest.run("thaw") == 0)
    }

    @Test func `A server that is restarted in the window is reported`() throws {
        try serve(
            version: "8.0.36", failing: "UNLOCK TABLES",
            error: "2013 (HY000) at line 4: Lost connection to server during query")
        #expect(try guest.run("freeze") == 0)
        #expect(try guest.run("thaw") == 0)
        #expect(guest.verdict?.hasPrefix("crash-consistent") == true)
        #expect(guest.log.contains { $0.contains("Lost connection") })
    }
}
