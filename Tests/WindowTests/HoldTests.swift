// SPDX-License-Identifier: Apache-2.0

import Glibc
import TestSupport
import Testing

/// Sessions that are held open until their release, for hooks and other callers.
@Suite struct HoldTests {
    private func sandbox() throws -> Sandbox {
        let sandbox = try Sandbox()
        try sandbox.configure("kill-grace = 200ms")
        try Files.makeDirectory(sandbox.runDirectory, mode: 0o700)
        return sandbox
    }

    private func hold(
        _ sandbox: Sandbox, _ name: String, _ client: [String], ready: String = "ready", release: String = "",
        timeout: String = "5s", statements: String = ""
    ) throws -> ProcessResult {
        try Files.write(statements, to: "\(sandbox.path)/statements")
        let command =
            [sandbox.program, "hold", name, "--run-dir", sandbox.runDirectory, "--ready", ready]
            + ["--release", release, "--timeout", timeout, "--"] + client
        return try sandbox.runCommand(
            ["/bin/sh", "-c", "file=$1; shift; exec \"$@\" < \"$file\"", "sh", "\(sandbox.path)/statements"] + command)
    }

    private func release(_ sandbox: Sandbox, _ name: String) throws -> ProcessResult {
        try sandbox.runCommand([sandbox.program, "release", name, "--run-dir", sandbox.runDirectory, "--timeout", "5s"])
    }

    private func holder(_ sandbox: Sandbox) throws -> pid_t { try #require(sandbox.parts("holder").first) }

    @Test func `A session is open until its release, and gets the text`() throws {
        let sandbox = try sandbox()
        let held = try hold(
            sandbox, "db", ["sh"], release: "echo last words; exit 0", statements: "echo one\necho ready\n")
        #expect(held.status == 0, "\(held.stderr)")
        #expect(held.stdout == "one\nready\n")
        #expect(Processes.isAlive(try holder(sandbox)))
        let released = try release(sandbox, "db")
        #expect(released.status == 0, "\(released.stderr)")
        #expect(released.stdout == "last words\n")
        sandbox.expectNothingLeft()
    }

    @Test func `Options may be written in every way that the parser knows`() throws {
        let sandbox = try sandbox()
        let calls: [(hold: [String], release: [String])] = [
            (
                [
                    "hold", "--ready=ready", "--run-dir=\(sandbox.runDirectory)", "--release=echo bye", "db",
                    "--timeout=5s",
                ],
                ["release", "--run-dir", sandbox.runDirectory, "db"]
            ),
            (
                [
                    "hold", "db", "--ready", "ready", "--config", sandbox.configuration, "--run-dir",
                    sandbox.runDirectory,
                ]
                    + ["--release", "echo bye"],
                ["release", "db", "--timeout=5s", "--run-dir=\(sandbox.runDirectory)"]
            ),
        ]
        for call in calls {
            let client = ["--", "sh", "-c", "echo ready; sh"]
            let held = try sandbox.runCommand([sandbox.program] + call.hold + client)
            #expect(held.status == 0, "\(held.stderr)")
            let released = try sandbox.runCommand([sandbox.program] + call.release)
            #expect(released.status == 0, "\(released.stderr)")
            #expect(released.stdout == "bye\n")
        }
        for wrong in [["--timeout", "5"], ["--ready", "["], ["--ready", "a", "--ready", "b"], ["--unknown", "x"]] {
            let options = wrong[0] == "--ready" ? wrong : ["--ready", "x"] + wrong
            let held = try sandbox.runCommand(
                [sandbox.program, "hold", "db"] + options + ["--run-dir", sandbox.runDirectory, "--", "true"])
            #expect(held.status == (wrong.count == 4 ? 1 : 64), "\(wrong): \(held.stderr)")
        }
        sandbox.expectNothingLeft()
    }

    @Test func `A prompt without a newline is readiness too`() throws {
        let sandbox = try sandbox()
        #expect(try hold(sandbox, "db", ["sh", "-c", "printf 'sql> '; cat"], ready: "^sql> $").status == 0)
        #expect(try release(sandbox, "db").status == 0)
        sandbox.expectNothingLeft()
    }

    @Test func `A name can be held again as soon as it is released`() throws {
        let sandbox = try sandbox()
        for _ in 0..<10 {
            #expect(try hold(sandbox, "db", ["sh"], statements: "echo ready\n").status == 0)
            #expect(try release(sandbox, "db").status == 0)
        }
        sandbox.expectNothingLeft()
    }

    @Test func `A second session of a name is refused, the first one stays`() throws {
        let sandbox = try sandbox()
        #expect(try hold(sandbox, "db", ["sh"], statements: "echo ready\n").status == 0)
        let second = try hold(sandbox, "db", ["sh"], statements: "echo ready\n")
        #expect(second.status == 1)
        #expect(second.stderr.contains("already held"))
        #expect(try release(sandbox, "db").status == 0)
        sandbox.expectNothingLeft()
    }

    struct NotReady: Sendable {
        var client: [String]
        var reason: String
    }

    @Test(arguments: [
        NotReady(client: ["sh", "-c", "echo no; exit 3"], reason: "the client ended with status 3: no"),
        NotReady(client: ["sh", "-c", "kill -KILL $$"], reason: "killed by SIGKILL"),
        NotReady(client: ["sh", "-c", "trap '' TERM; while :; do sleep 0.01; done"], reason: "not ready within 300ms"),
        NotReady(client: ["sh", "-c", "while :; do echo wrong; done"], reason: "not ready within 300ms"),
        NotReady(client: ["/no/such/client"], reason: "/no/such/client cannot be started"),
        NotReady(client: ["no-such-client-anywhere"], reason: "not found in PATH"),
    ])
    func `A session that is not ready fails with its reason and leaves nothing`(_ case: NotReady) throws {
        let sandbox = try sandbox()
        let result = try hold(sandbox, "db", `case`.client, timeout: "300ms")
        #expect(result.status == 1)
        #expect(result.stderr.contains(`case`.reason), "\(result.stderr)")
        #expect(result.seconds < 10)
        sandbox.expectNothingLeft()
    }

    @Test(arguments: [["bad name"], ["../x"], [""], [".hidden"], [String(repeating: "a", count: 65)]])
    func `A bad name is a usage error`(name: [String]) throws {
        let sandbox = try sandbox()
        #expect(try hold(sandbox, name[0], ["sh"]).status == 64)
        #expect(sandbox.runFiles == [])
    }

    @Test func `A pattern that is none, a missing client and a missing pattern are usage errors`() throws {
        let sandbox = try sandbox()
        #expect(try hold(sandbox, "db", ["sh"], ready: "(").status == 64)
        #expect(try hold(sandbox, "db", []).status == 64)
        let command = [sandbox.program, "hold", "db", "--run-dir", sandbox.runDirectory, "--", "sh"]
        #expect(try sandbox.runCommand(command).status == 64)
    }

    @Test func `A client that does not go is killed`() throws {
        let sandbox = try sandbox()
        let client = ["sh", "-c", "trap '' TERM; echo ready; while :; do sleep 0.05; done"]
        #expect(try hold(sandbox, "db", client, timeout: "300ms").status == 0)
        #expect(try release(sandbox, "db").status == 1)
        sandbox.expectNothingLeft()
    }

    @Test func `A chatty client neither fills memory nor stops`() throws {
        let sandbox = try sandbox()
        #expect(try hold(sandbox, "db", ["sh", "-c", "echo ready; exec cat /dev/zero"]).status == 0)
        let holder = try holder(sandbox)
        usleep(200_000)
        // A line that never ends is cut, so that the holder's memory does not grow.
        #expect(try Processes.peakMemory(of: holder) < 64 << 20)
        _ = try release(sandbox, "db")
        sandbox.expectNothingLeft()
    }

    @Test func `A chatty client does not fill memory while it is being ended either`() throws {
        let sandbox = try sandbox()
        #expect(try hold(sandbox, "db", ["sh", "-c", "echo ready; exec yes"], timeout: "2s").status == 0)
        let holder = try holder(sandbox)
        let before = try Processes.peakMemory(of: holder)
        let releasing = try sandbox.startCommand([
            sandbox.program, "release", "db", "--run-dir", sandbox.runDirectory, "--timeout", "5s",
        ])
        usleep(1_500_000)
        #expect(try Processes.peakMemory(of: holder) < before + 8 << 20)
        let result = try releasing.wait()
        #expect(result.status == 1)
        #expect(result.stdout.utf8.count < 64 << 10)
        sandbox.expectNothingLeft()
    }

    @Test func `Many statements reach a client that reads them late`() throws {
        let sandbox = try sandbox()
        let statements = String(repeating: "# some statement of fifty bytes, give or take some\n", count: 20_000)
        let result = try hold(
            sandbox, "db", ["sh", "-c", "sleep 0.1; exec sh"], statements: statements + "echo ready\n")
        #expect(result.status == 0, "\(result.stderr)")
        #expect(try release(sandbox, "db").status == 0)
        sandbox.expectNothingLeft()
    }

    @Test func `An unknown session cannot be released`() throws {
        let sandbox = try sandbox()
        let result = try release(sandbox, "nothing")
        #expect(result.status == 1)
        #expect(result.stderr.contains("no session nothing is held"))
    }

    // MARK: - Readiness

    /// A pattern that matches an empty text matches before the client's first line.
    @Test func `A client that has said nothing is not ready`() throws {
        let sandbox = try sandbox()
        let client = ["sh", "-c", "sleep 0.3; cat > /dev/null"]
        // A pipe holds less: the holder has to write while it waits for the client's lines.
        let statements = String(repeating: "x", count: 200_000)
        let result = try hold(sandbox, "db", client, ready: ".*", timeout: "1s", statements: statements)
        #expect(result.status == 1)
        #expect(result.stderr.contains("not ready within 1s"), "\(result.stderr)")
        sandbox.expectNothingLeft()
    }

    @Test func `What a client says on either output is matched line by line`() throws {
        let sandbox = try sandbox()
        let client = "echo not ready >&2; printf 'rea'; sleep 0.05; printf 'dy\\r\\n' >&2; exec cat"
        let result = try hold(sandbox, "db", ["sh", "-c", client], ready: "^(ready|steady)$")
        #expect(result.status == 0, "\(result.stderr)")
        #expect(result.stdout == "not ready\nready\n")
        #expect(try release(sandbox, "db").status == 0)
        sandbox.expectNothingLeft()
    }

    // MARK: - Several at a time

    @Test func `Of many who ask for a name at once one gets it, also after a killed holder`() throws {
        let sandbox = try sandbox()
        for _ in 0..<5 {
            #expect(try hold(sandbox, "db", ["sh"], statements: "echo ready\n").status == 0)
            sandbox.destroy(try holder(sandbox))
            let command = ["hold", "db", "--run-dir", sandbox.runDirectory, "--ready", "ready", "--", "sh", "-c"]
            let asking = try (0..<4).map { _ in
                try sandbox.startCommand([sandbox.program] + command + ["echo ready; exec sleep 1000"])
            }
            let results = try asking.map { try $0.wait() }
            #expect(results.filter { $0.status == 0 }.count == 1, "\(results.map(\.stderr))")
            // The refused holders have answered, and are about to end.
            #expect(eventually { sandbox.parts("holder").count == 1 })
            sandbox.destroy(try holder(sandbox))
            for pid in sandbox.processes() { sandbox.destroy(pid) }
        }
    }

    @Test func `Of two who release a session at once one does, and the other is not told that it is lost`() throws {
        let sandbox = try sandbox()
        #expect(try hold(sandbox, "db", ["sh"], release: "sleep 0.2", statements: "echo ready\n").status == 0)
        let command = [sandbox.program, "release", "db", "--run-dir", sandbox.runDirectory]
        let releasing = try (0..<2).map { _ in try sandbox.startCommand(command) }
        let results = try releasing.map { try $0.wait() }
        #expect(results.contains { $0.status == 0 })
        #expect(!results.contains { $0.stderr.contains("lost") }, "\(results.map(\.stderr))")
        sandbox.expectNothingLeft()
    }

    @Test func `Somebody who connects and says nothing does not keep a session from its release`() throws {
        let sandbox = try sandbox()
        #expect(try hold(sandbox, "db", ["sh"], statements: "echo ready\n").status == 0)
        let silent = try Connection(to: "\(sandbox.runDirectory)/hold-db")
        let released = try release(sandbox, "db")
        #expect(released.status == 0, "\(released.stderr)")
        withExtendedLifetime(silent) {}
        sandbox.expectNothingLeft()
    }

    // MARK: - Outside a cycle

    @Test func `A session of an administrator's script outlives a cycle`() throws {
        let sandbox = try sandbox()
        #expect(try hold(sandbox, "mine", ["sh"], statements: "echo ready\n").status == 0)
        try sandbox.addTracingHook("10-a")
        try sandbox.expectFreeze()
        try sandbox.expectThaw()
        #expect(sandbox.verdict == "application-consistent")
        let released = try release(sandbox, "mine")
        #expect(released.status == 0, "\(released.stderr)")
        sandbox.expectNothingLeft()
    }

    @Test func `A session outside a cycle whose holder was killed is told of, and a thaw leaves nothing of it`() throws
    {
        let sandbox = try sandbox()
        let client = ["sh", "-c", "trap '' TERM; echo ready; while :; do sleep 0.05; done"]
        #expect(try hold(sandbox, "db", client).status == 0)
        sandbox.destroy(try holder(sandbox))
        let released = try release(sandbox, "db")
        #expect(released.status == 1)
        #expect(!released.stderr.contains("no session db is held"), "\(released.stderr)")
        try sandbox.expectThaw()
        sandbox.expectNothingLeft()
    }
}
