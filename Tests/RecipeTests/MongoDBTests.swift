// SPDX-License-Identifier: Apache-2.0

import Glibc
import TestSupport
import Testing

/// No package of this system has MongoDB: a program in place of its shell executes its input line by line, as mongosh
/// does when standard input is no terminal, on a server whose state is a file.
@Suite struct MongoDBTests {
    private let guest: RecipeGuest

    init() throws {
        guest = try RecipeGuest()
        try guest.enable("mongodb")
        let shell = """
            #!\(try Tools.command("node", package: "nodejs"))
            const fs = require('fs'), vm = require('vm'), place = '\(guest.path("server.json"))';
            const read = () => JSON.parse(fs.readFileSync(place));
            const write = (state) => fs.writeFileSync(place, JSON.stringify(state));
            fs.appendFileSync('\(guest.path("arguments"))', process.argv.slice(2).join(' ') + '\\n');
            const long = (number) => ({ toString: () => read().legacy ? `NumberLong(${number})` : `${number}` });
            const connect = (uri) => {
                const state = read();
                if (state.down) throw new Error('connect ECONNREFUSED 127.0.0.1:27017');
                let allowed = !state.password;
                const server = {
                    getSiblingDB: () => server,
                    auth: (user, password) => {
                        if (read().locks) throw new Error('the lock is held: no login');
                        if (user !== 'backup' || password !== state.password) throw new Error('Authentication failed.');
                        allowed = true;
                    },
                    version: () => '7.0.14',
                    adminCommand: () => state.about || {},
                    fsyncLock: () => {
                        if (!allowed) throw new Error('command fsync requires authentication');
                        const now = read();
                        write({ ...now, locks: now.locks + 1 });
                        return { ok: 1, lockCount: long(now.locks + 1) };
                    },
                    fsyncUnlock: () => {
                        const now = read();
                        if (now.down) throw new Error('connection closed');
                        if (!now.locks) throw new Error('fsyncUnlock called when not locked');
                        write({ ...now, locks: now.locks - 1 });
                        return { ok: 1, lockCount: long(now.locks - 1) };
                    },
                };
                return server;
            };
            const context = vm.createContext({ connect, print: (text) => console.log(text), quit: (status) => process.exit(status) });
            require('readline').createInterface({ input: process.stdin }).on('line', (line) => {
                try { vm.runInContext(line, context); } catch (error) { console.log(String(error)); }
            });

            """
        try Files.write(shell, to: guest.path("mongosh"), mode: 0o755)
        try serve("")
        try guest.configure("mongodb", "[db]\n")
    }

    private func serve(_ state: String) throws {
        try Files.write("{\"locks\": 0\(state)}", to: guest.path("server.json"))
    }

    private var locks: String { Files.text(of: guest.path("server.json")).split(separator: ",")[0].filter(\.isNumber) }

    private func setLocks(_ number: Int) throws {
        let text = Files.text(of: guest.path("server.json"))
        guard let range = text.firstRange(of: "\"locks\":\(locks)") else { throw TestFailure(text) }
        try Files.write(text.replacing(text[range], with: "\"locks\":\(number)"), to: guest.path("server.json"))
    }

    @Test(arguments: ["", ", \"legacy\": true", ", \"about\": {\"secondary\": true}"])
    func `A server is locked and unlocked once`(state: String) throws {
        try serve(state)
        for _ in 1...2 {
            #expect(try guest.run("freeze") == 0)
            #expect(locks == "1", "\(guest.log)")
            #expect(try guest.run("thaw") == 0)
            #expect(locks == "0")
            #expect(guest.verdict == "application-consistent", "\(guest.log)")
            #expect(try guest.run("thaw") == 0)
        }
        #expect(
            guest.output(of: "50-mongodb").contains {
                $0.hasPrefix(state.contains("secondary") ? "secondary 7.0.14, db" : "primary 7.0.14, db")
            })
        #expect(guest.runFiles == [])
    }

    @Test func `The lock of somebody else stays`() throws {
        try serve("")
        try Files.write("{\"locks\":2}", to: guest.path("server.json"))
        #expect(try guest.run("freeze") == 0)
        #expect(locks == "3")
        #expect(try guest.run("thaw") == 0)
        #expect(locks == "2")
        #expect(guest.verdict == "application-consistent")
    }

    @Test(arguments: [0, 1]) func `A lock that is lost is reported`(left: Int) throws {
        try Files.write("{\"locks\":1}", to: guest.path("server.json"))
        #expect(try guest.run("freeze") == 0)
        try setLocks(left)
        #expect(try guest.run("thaw") == 0)
        #expect(guest.verdict?.hasPrefix("crash-consistent") == true, "\(guest.log)")
        #expect(locks == "0")
    }

    @Test func `A session that dies leaves no lock`() throws {
        #expect(try guest.run("freeze") == 0)
        let clients = Processes.mentioning(guest.path("mongosh")).filter {
            Processes.commandLine(of: $0).contains("node ")
        }
        #expect(clients.count == 1)
        for client in clients { kill(client, SIGKILL) }
        #expect(eventually { !clients.contains(where: Processes.isAlive) })
        #expect(try guest.run("thaw") == 0)
        #expect(guest.verdict?.hasPrefix("crash-consistent") == true, "\(guest.log)")
        #expect(locks == "0")
    }

    @Test(arguments: [
        (", \"about\": {\"msg\": \"isdbgrid\"}", "a sharded cluster has to be stopped", "status=1"),
        (", \"about\": {\"arbiterOnly\": true}", "an arbiter keeps no data", "status=77"),
        (", \"down\": true", "no server is running", "status=77"),
        (", \"password\": \"x\"", "command fsync requires authentication", "status=1"),
    ])
    func `A server that cannot be locked is reported`(state: String, words: String, status: String) throws {
        try serve(state)
        #expect(try guest.run("freeze") == 0)
        #expect(guest.output(of: "50-mongodb").contains { $0.contains(words) }, "\(guest.log)")
        #expect(guest.ending(of: "50-mongodb")?.contains(status) == true)
        #expect(locks == "0")
        #expect(try guest.run("thaw") == 0)
    }

    @Test func `A password is used and shown nowhere`() throws {
        try serve(", \"password\": \"it's \\\"quoted\\\" \\\\ $HOME\"")
        try guest.configure("mongodb", "[db]\nuser = backup\npassword = it's \"quoted\" \\ $HOME\n")
        #expect(try guest.run("freeze") == 0)
        #expect(locks == "1", "\(guest.log)")
        #expect(try guest.run("thaw") == 0)
        #expect(guest.verdict == "application-consistent", "\(guest.log)")
        try guest.configure("mongodb", "[db]\nuser = backup\npassword = wrong-horse\n")
        #expect(try guest.run("freeze") == 0)
        #expect(guest.output(of: "50-mongodb").last == "failed: Authentication failed.", "\(guest.log)")
        #expect(try guest.run("thaw") == 0)
        let arguments = Files.text(of: guest.path("arguments"))
        #expect(arguments.split(separator: "\n").allSatisfy { $0 == "--quiet --norc --nodb" })
        #expect(!Files.text(of: guest.path("log")).contains("horse"))
    }

    @Test(arguments: ["/bin/dash", "/bin/bash", "/bin/busybox sh"]) func `Every shell runs the recipe`(shell: String)
        throws
    {
        unlink(guest.path("fsfreeze-hook.d/50-mongodb"))
        try guest.enable("mongodb", runBy: shell)
        #expect(try guest.run("freeze") == 0)
        #expect(locks == "1")
        #expect(try guest.run("thaw") == 0)
        #expect(guest.verdict == "application-consistent", "\(guest.log)")
    }
}
