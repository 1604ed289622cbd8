// SPDX-License-Identifier: Apache-2.0

import Glibc
import TestSupport

/// A PostgreSQL cluster with a data directory and a socket of its own.
final class PostgreSQLServer {
    let data: String
    private let guest: RecipeGuest
    private let programs: String
    let socketDirectory: String
    private let options: [String]
    private var server: Server?

    /// Makes a cluster and starts it.
    ///
    /// - Parameter options: more settings, each as `NAME=VALUE`.
    convenience init(_ name: String = "pg", on guest: RecipeGuest, options: [String] = []) throws {
        let data = try guest.makeDirectory(name, owner: "postgres")
        try guest.execute(
            Self.asOwner + ["\(try Self.findPrograms())/initdb", "--pgdata=\(data)", "--data-checksums", "--auth=peer"])
        try self.init(data: data, on: guest, options: options)
        try execute("CREATE TABLE numbers (writer int, number int, PRIMARY KEY (writer, number))")
    }

    /// Starts a server on a data directory that is there.
    init(data: String, on guest: RecipeGuest, options: [String] = []) throws {
        self.data = data
        self.guest = guest
        self.options = options
        programs = try Self.findPrograms()
        socketDirectory = try guest.makeDirectory(
            "socket-of-\(data.split(separator: "/").last ?? "")", owner: "postgres")
        try start()
    }

    private static let asOwner = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups", "--"]

    private static func findPrograms() throws -> String {
        let versions = (try? Files.names(in: "/usr/lib/postgresql")) ?? []
        guard let newest = versions.compactMap({ Int($0) }).max() else {
            throw TestFailure("initdb is missing: apt-get install postgresql")
        }
        return "/usr/lib/postgresql/\(newest)/bin"
    }

    /// Starts the server, or starts it again.
    func start() throws {
        let settings =
            ["listen_addresses=", "unix_socket_directories=\(socketDirectory)", "shared_buffers=16MB"] + options
        let command = ["\(programs)/postgres", "-D", data] + settings.flatMap { ["-c", $0] }
        let words = command.map { "'\($0)'" }.joined(separator: " ")
        let client = client
        // The server starts in / because it may not read the test's directory.
        server = try Server(
            Self.asOwner + ["/bin/sh", "-c", "cd /; exec \(words)"], on: guest
        ) { [guest] in
            (try? guest.start(client + ["--command=SELECT 1"]).wait(within: 20).status) == 0
        }
    }

    func end(_ signal: Int32 = SIGTERM) throws { try server?.end(signal) }

    /// The client's words for the owner by the socket.
    var client: [String] {
        Self.asOwner + [
            "\(programs)/psql", "--no-psqlrc", "--no-align", "--tuples-only", "--quiet", "--set=ON_ERROR_STOP=1",
            "--host=\(socketDirectory)", "--dbname=postgres",
        ]
    }

    /// Runs a statement; returns what it prints.
    @discardableResult
    func execute(_ statement: String) throws -> String {
        try guest.execute(client + ["--command=\(statement)"])
    }

    /// Runs one of the server's own programs with options; returns what it prints.
    @discardableResult
    func run(_ program: String, _ arguments: String...) throws -> String {
        try guest.execute(Self.asOwner + ["\(programs)/\(program)"] + arguments)
    }

    /// Copies the data directory as of one moment.
    func copyData(to target: String) throws {
        try server?.copy(data, to: target)
        unlink("\(target)/postmaster.pid")
    }

    /// Starts a server on a copy, and removes both.
    static func inspect(_ copy: String, on guest: RecipeGuest, _ look: (PostgreSQLServer) throws -> Void) throws {
        defer { TemporaryDirectory.remove(copy) }
        let server = try PostgreSQLServer(
            data: copy, on: guest, options: ["log_destination=stderr", "logging_collector=on", "log_directory=log"])
        try look(server)
        try server.end()
    }

    /// The log of a server that collects its messages itself.
    var collectedLog: String {
        let names = (try? Files.names(in: "\(data)/log")) ?? []
        return names.map { Files.text(of: "\(data)/log/\($0)") }.joined()
    }

    // MARK: - Load

    /// Writers that insert a row each time.
    func startLoad(writers: Int = 4) -> WriteLoad {
        let client = client
        return WriteLoad(writers: writers) { writer in
            let connection = try DatabaseClient(client)
            return { number in
                let answer = try connection.ask("INSERT INTO numbers VALUES (\(writer), \(number)) RETURNING number;")
                guard answer == "\(number)" else { throw TestFailure(answer) }
            }
        }
    }

    /// The numbers of each writer in the table.
    func numbers(of writers: Int) throws -> [(count: Int, last: Int)] {
        try (0..<writers).map { writer in
            let words = try execute(
                "SELECT count(*), coalesce(max(number), 0) FROM numbers WHERE writer = \(writer)"
            ).split { "|\n".contains($0) }
            guard words.count == 2, let count = Int(words[0]), let last = Int(words[1]) else {
                throw TestFailure("\(words)")
            }
            return (count, last)
        }
    }

    /// The bytes of WAL written by now.
    func writtenWAL() throws -> Int {
        Int(try execute("SELECT (pg_current_wal_lsn() - '0/0')::bigint").filter(\.isNumber)) ?? 0
    }

    /// The bytes that the start on this data directory had to replay; nil when the log does not say.
    func replayedWAL() throws -> Int? {
        let log = collectedLog
        guard let start = log.firstRange(of: "redo starts at "), let end = log.firstRange(of: "redo done at ") else {
            return log.contains("was not properly shut down") ? nil : 0
        }
        let positions = [start, end].map { log[$0.upperBound...].prefix { !" \n".contains($0) } }
        return Int(
            try execute("SELECT ('\(positions[1])'::pg_lsn - '\(positions[0])'::pg_lsn)::bigint").filter(\.isNumber))
    }
}
