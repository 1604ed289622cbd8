// SPDX-License-Identifier: Apache-2.0

import Glibc
import TestSupport

/// A Redis server with a directory and a socket of its own.
final class RedisServer {
    let directory: String
    private let guest: RecipeGuest
    private let options: [String]
    private let place: [String]?
    private var server: Server?

    /// Starts a server in a new directory, or on the files in one that is there.
    ///
    /// - Parameters:
    ///   - options: its settings, as on its command line.
    ///   - reachedBy: the client's options for the server; by default those for its socket.
    init(
        _ name: String = "redis", on guest: RecipeGuest, options: [String], reachedBy: [String]? = nil
    ) throws {
        place = reachedBy
        directory = guest.path(name)
        self.guest = guest
        self.options = options
        try guest.execute(["mkdir", "-p", directory])
        try start()
    }

    /// Starts the server, or starts it again.
    func start() throws {
        _ = try Tools.command("redis-server", package: "redis-server")
        let client = client
        server = try Server(
            ["redis-server", "--port", "0", "--unixsocket", socket, "--dir", directory, "--daemonize", "no"] + options,
            on: guest
        ) { [guest] in
            // A server that wants a password answers, too.
            (try? guest.start(client + ["PING"]).wait(within: 20).stdout).map {
                $0 == "PONG\n" || $0.hasPrefix("NOAUTH")
            } == true
        }
    }

    func end(_ signal: Int32 = SIGTERM) throws { try server?.end(signal) }

    var socket: String { "\(directory)/s.sock" }

    var client: [String] { ["redis-cli"] + (place ?? ["-s", socket]) }

    /// Runs a command; returns what it prints.
    @discardableResult
    func execute(_ words: String...) throws -> String {
        try guest.execute(client + words)
    }

    /// Copies the files while the server runs: the recipe has to keep them from changing.
    func copyFiles(to name: String) throws {
        try guest.execute(["cp", "-a", directory, guest.path(name)])
    }

    /// Starts a server on a copy of the files, and removes both.
    func inspect(_ copy: String, _ look: (RedisServer) throws -> Void) throws {
        defer { TemporaryDirectory.remove(guest.path(copy)) }
        let server = try RedisServer(copy, on: guest, options: options)
        try look(server)
        try server.end()
    }

    /// Writers that each append to a list.
    func startLoad(writers: Int = 4) -> WriteLoad {
        let client = client
        return WriteLoad(writers: writers) { writer in
            let connection = try DatabaseClient(client)
            return { number in
                let answer = try connection.ask("RPUSH writer-\(writer) \(number)")
                guard answer == "\(number)" else { throw TestFailure(answer) }
            }
        }
    }

    /// The numbers in the lists.
    func numbers(of writers: Int) throws -> [(count: Int, last: Int)] {
        try (0..<writers).map { writer in
            let count = Int(try execute("LLEN", "writer-\(writer)").filter(\.isNumber)) ?? 0
            return (count, Int(try execute("LINDEX", "writer-\(writer)", "-1").filter(\.isNumber)) ?? 0)
        }
    }
}
