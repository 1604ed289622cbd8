// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestSupport
import Testing

/// The RabbitMQ recipe.
@Suite struct RabbitMQTests {
    private let machine: NativeCopyGuest
    private let guest: RecipeGuest

    init() throws {
        _ = try Tools.command("rabbitmqctl", package: "rabbitmq-server")
        machine = try NativeCopyGuest("rabbitmq")
        guest = machine.guest
        // Debian's scripts expect these directories; /var/lib and /var/log are the machine's own.
        for place in ["/var/lib/rabbitmq", "/var/log/rabbitmq"] {
            try guest.execute(["install", "-d", "-o", "rabbitmq", "-g", "rabbitmq", place])
        }
    }

    /// Starts a node with a name and a database of its own.
    private func start(_ node: String = "rabbit", port: Int = 5672) throws -> Server {
        try Server(
            [
                "setpriv", "--reuid=rabbitmq", "--regid=rabbitmq", "--clear-groups", "--",
                "/usr/lib/rabbitmq/bin/rabbitmq-server",
            ],
            on: guest,
            environment: [
                "HOME": "/var/lib/rabbitmq", "RABBITMQ_NODENAME": "\(node)@localhost", "RABBITMQ_NODE_PORT": "\(port)",
            ]
        ) { (try? control(node, "await_startup", "--timeout", "1")) != nil }
    }

    @discardableResult
    private func control(_ node: String = "rabbit", _ words: String...) throws -> String {
        try guest.execute(["rabbitmqctl", "--node", "\(node)@localhost", "--silent"] + words)
    }

    /// The definitions in a copy.
    private struct Definitions: Decodable {
        struct User: Decodable { var name: String }
        var users: [User]
    }

    @Test func `What was acknowledged is restored from the copy`() throws {
        let server = try start()
        try control("rabbit", "add_vhost", "shop")
        try control("rabbit", "add_user", "customer", "pass word")
        try machine.expectAllThatWasAcknowledged(inCycles: 5, writers: 2) { writer, number in
            "rabbitmqctl --node rabbit@localhost --silent add_user w\(writer)-\(number) word"
        } numbers: { copy in
            let file = Data(Files.bytes(of: "\(copy)/definitions.json") ?? [])
            return try JSONDecoder().decode(Definitions.self, from: file).users.map(\.name).numbers(of: 2)
        }
        guard let copy = try machine.madeCopies().last else { throw TestFailure("no copy") }
        let scratch = try start("scratch", port: 5673)
        try guest.execute([
            "install", "-o", "rabbitmq", "-m", "0600", "\(copy)/definitions.json", "/var/lib/rabbitmq/definitions.json",
        ])
        try control("scratch", "import_definitions", "/var/lib/rabbitmq/definitions.json")
        let users = try control("scratch", "list_users").split(separator: "\n").map {
            String($0.prefix { $0 != "\t" })
        }
        let file = Data(Files.bytes(of: "\(copy)/definitions.json") ?? [])
        let copied = try JSONDecoder().decode(Definitions.self, from: file).users.map(\.name)
        #expect(Set(copied).isSubset(of: users) && copied.contains("customer"), "\(copied) \(users)")
        #expect(try control("scratch", "list_vhosts").contains("shop"))
        #expect(try control("scratch", "authenticate_user", "customer", "pass word").contains("Success"))
        try scratch.end()
        try server.end()
    }

    @Test func `Two nodes have copies of their own`() throws {
        let first = try start()
        let second = try start("second", port: 5673)
        try control("second", "add_vhost", "other")
        try machine.runCycle()
        #expect(try machine.instances() == ["rabbit-localhost", "second-localhost"])
        for (instance, isOther) in [("rabbit-localhost", false), ("second-localhost", true)] {
            let copy = try machine.madeCopies(of: instance).first ?? ""
            #expect(Files.text(of: "\(copy)/definitions.json").contains("\"other\"") == isOther)
        }
        try second.end()
        // The configuration names a node that does not run.
        try machine.configure("[gone]\nnode = second@localhost")
        let reason = try machine.reasonOfFailure()
        #expect(reason.hasPrefix("no copy: Error: unable to perform an operation on node 'second@localhost'"))
        #expect(try machine.madeCopies(of: "gone") == [])
        try first.end()
    }

    @Test func `Other programs in Erlang are no nodes`() throws {
        let other = try guest.start(["erl", "-noinput", "-rabbit", "x", "-sname", "rabbitlike"])
        try wait(for: "erl") { !Processes.mentioning("rabbitlike").isEmpty }
        #expect(try guest.run("freeze") == 0)
        #expect(guest.ending(of: machine.hook, "prepare")?.contains("status=77") == true, "\(guest.log)")
        #expect(try guest.run("thaw") == 0)
        for process in Processes.children(of: other.pid) { kill(process, SIGKILL) }
        _ = try other.wait(within: 10)
    }

    @Test func `Definitions that end too soon are no copy`() throws {
        let server = try start()
        try machine.replace("rabbitmqctl", by: "printf '{\"users\":[{\"name\":'")
        #expect(try machine.reasonOfFailure() == "no copy: the definitions do not end as they should")
        #expect(try machine.files() == [])
        try server.end()
    }
}
