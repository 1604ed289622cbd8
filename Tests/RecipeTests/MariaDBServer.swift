// SPDX-License-Identifier: Apache-2.0

import Glibc
import TestSupport

/// A MariaDB server with a data directory and a socket of its own.
final class MariaDBServer {
    let data: String
    private let guest: RecipeGuest
    private let options: [String]
    private var server: Server?

    /// Installs a data directory and starts the server on it.
    ///
    /// - Parameter options: more options of the server.
    convenience init(_ name: String = "db", on guest: RecipeGuest, options: [String] = []) throws {
        let data = try guest.makeDirectory(name, owner: "mysql")
        _ = try Tools.command("mariadbd", package: "mariadb-server")
        try guest.execute(
            [
                "mariadb-install-db", "--no-defaults", "--user=mysql", "--datadir=\(data)",
                "--auth-root-authentication-method=socket", "--skip-test-db", "--skip-name-resolve",
            ] + Self.small)
        try self.init(data: data, on: guest, options: options)
        try execute(
            "CREATE DATABASE load_test",
            "CREATE TABLE load_test.innodb (writer INT, number INT, PRIMARY KEY (writer, number)) ENGINE=InnoDB",
            "CREATE TABLE load_test.aria (writer INT, number INT, PRIMARY KEY (writer, number)) ENGINE=Aria TRANSACTIONAL=0",
            """
            CREATE TABLE load_test.myisam (writer INT, number INT, PRIMARY KEY (writer, number)) ENGINE=MyISAM \
            DELAY_KEY_WRITE=1
            """)
    }

    /// Starts a server on a data directory that is there.
    init(data: String, on guest: RecipeGuest, options: [String] = []) throws {
        self.data = data
        self.guest = guest
        self.options = options
        try start()
    }

    // Copies of the data directory take most of a test's time.
    private static let small = [
        "--innodb-log-file-size=4M", "--innodb-data-file-path=ibdata1:3M:autoextend",
        // /proc/sys/fs/aio-max-nr allows few native queues, and many servers run.
        "--innodb-buffer-pool-size=16M", "--innodb-use-native-aio=0",
    ]

    var socket: String { "\(data)/s.sock" }

    /// The server's command.
    var command: [String] {
        [
            // The server must not repair a table that was not closed before the test checks it.
            "mariadbd", "--no-defaults", "--user=mysql", "--datadir=\(data)", "--socket=\(socket)",
            "--skip-networking", "--skip-log-bin", "--myisam-recover-options=OFF", "--aria-recover-options=OFF",
            "--pid-file=\(data)/pid",
        ] + Self.small + options
    }

    /// Starts the server, or starts it again.
    func start() throws {
        let client = client
        server = try Server(command, on: guest) { [guest] in
            (try? guest.start(client + ["--execute=SELECT 1"]).wait(within: 20).status) == 0
        }
    }

    func end(_ signal: Int32 = SIGTERM) throws { try server?.end(signal) }

    /// The client's words for root by the socket.
    var client: [String] {
        ["mariadb", "--no-defaults", "--socket=\(socket)", "--batch", "--skip-column-names", "--unbuffered"]
    }

    /// Runs statements; returns what they print.
    @discardableResult
    func execute(_ statements: String...) throws -> String {
        try guest.execute(client + ["--execute=\(statements.joined(separator: "; "))"])
    }

    /// Copies the data directory as of one moment, starts a server on the copy, and stops it in the end.
    func inspectCopy(_ look: (MariaDBServer) throws -> Void) throws {
        let target = guest.path("copy")
        try copyData(to: target)
        try Self.inspect(target, on: guest, look)
    }

    /// Copies the data directory as of one moment.
    func copyData(to target: String) throws {
        try server?.copy(data, to: target)
    }

    /// Does some work while the server is stopped.
    func whileStopped(_ work: () throws -> Void) throws {
        try server?.whileStopped(work)
    }

    /// Starts a server on a copy, and removes both.
    static func inspect(_ copy: String, on guest: RecipeGuest, _ look: (MariaDBServer) throws -> Void) throws {
        defer { TemporaryDirectory.remove(copy) }
        let server = try MariaDBServer(data: copy, on: guest)
        try look(server)
        try server.end()
    }

    // MARK: - Load

    static let engines = ["innodb", "aria", "myisam"]

    /// Two writers for each storage engine.
    func startLoad() -> WriteLoad {
        let client = client
        return WriteLoad(writers: Self.engines.count * 2) { writer in
            let connection = try DatabaseClient(client)
            let table = Self.engines[writer % Self.engines.count]
            return { number in
                let answer = try connection.ask(
                    "INSERT INTO load_test.\(table) VALUES (\(writer), \(number)); SELECT \(number);")
                guard answer == "\(number)" else { throw TestFailure(answer) }
            }
        }
    }

    /// The numbers of each writer in the tables.
    func numbers(of writers: Int) throws -> [(count: Int, last: Int)] {
        try (0..<writers).map { writer in
            let table = Self.engines[writer % Self.engines.count]
            let words = try execute(
                "SELECT COUNT(*), COALESCE(MAX(number), 0) FROM load_test.\(table) WHERE writer = \(writer)"
            ).split(whereSeparator: \.isWhitespace)
            guard words.count == 2, let count = Int(words[0]), let last = Int(words[1]) else {
                throw TestFailure("\(words)")
            }
            return (count, last)
        }
    }

    /// The reports of CHECK TABLE, all but "OK".
    func complaints() throws -> [String] {
        try execute("CHECK TABLE load_test.innodb, load_test.aria, load_test.myisam").split(separator: "\n")
            .map(String.init).filter { !$0.hasSuffix("\tOK") }
    }

    /// The idle connections that belong to no writer: that of the recipe.
    func holdingConnections() throws -> [Int] {
        try connections("command = 'Sleep' AND time_ms > 100 AND user != 'system user'")
    }

    /// The connections that meet a condition on information_schema.processlist.
    func connections(_ condition: String) throws -> [Int] {
        try execute("SELECT id FROM information_schema.processlist WHERE \(condition) AND id != CONNECTION_ID()")
            .split(separator: "\n").compactMap { Int($0) }
    }
}
