import Glibc
import TestSupport
import Testing

/// Sessions that are held open from freeze to thaw.
@Suite struct HoldTests {
    private func sandbox() throws -> Sandbox {
        let sandbox = try Sandbox()
        try sandbox.configure("kill-grace = 200ms")
        mkdir(sandbox.runDirectory, 0o700)
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

    @Test func `A session that ended before names the moment, also twice`() throws {
        let sandbox = try sandbox()
        try sandbox.addHoldingHook("10-db", session: "db")
        try sandbox.expectSilent("freeze")
        let client = try #require(
            sandbox.processes().first { Processes.commandLine(of: $0).trimmingSpace == "sh" && getsid($0) == $0 })
        sandbox.destroy(client)
        let released = try release(sandbox, "db")
        #expect(released.status == 1)
        #expect(released.stderr.contains("the session db had ended at 2"), "\(released.stderr)")
        #expect(released.stderr.contains("killed by SIGKILL"))
        #expect(try release(sandbox, "db").stderr.contains("had ended at 2"))
        try sandbox.expectSilent("thaw")
        #expect(sandbox.verdict?.contains("hold db lost at 2") == true, "\(sandbox.verdict ?? "")")
        sandbox.expectNothingLeft()
    }

    @Test func `A client that fails at its release has lost the session`() throws {
        let sandbox = try sandbox()
        try sandbox.addHoldingHook("10-db", session: "db", release: "echo server has gone away; exit 1")
        try sandbox.expectSilent("freeze")
        try sandbox.expectSilent("thaw")
        #expect(sandbox.verdict?.contains("hold db lost at ") == true, "\(sandbox.verdict ?? "")")
        #expect(sandbox.verdict?.contains("server has gone away") == true)
        sandbox.expectNothingLeft()
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
        // A line that never ends is cut; what is kept of it does not grow.
        #expect(try Processes.peakMemory(of: holder) < 64 << 20)
        _ = try release(sandbox, "db")
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

    @Test func `A session that its hook forgot is ended after all thaw hooks`() throws {
        let sandbox = try sandbox()
        try sandbox.addHook(
            "10-db",
            """
            [ $1 = thaw ] || echo 'echo ready' | \(sandbox.program) hold db --run-dir "$FSFREEZE_RUN_DIR" --ready ready \
                --release "echo bye >> \(sandbox.path)/trace" -- sh
            """)
        try sandbox.addTracingHook("20-b")
        try sandbox.expectSilent("freeze")
        try sandbox.expectSilent("thaw")
        #expect(sandbox.trace == ["20-b freeze freeze", "20-b thaw thaw", "bye"])
        #expect(sandbox.messages.contains { $0.contains("hold db was still open") })
        #expect(sandbox.verdict == "application-consistent")
        sandbox.expectNothingLeft()
    }

    @Test(arguments: ["guard", "holder"], ["frozen", "expired"])
    func `Whoever is killed, a thaw leaves nothing and names it`(part: String, state: String) throws {
        let sandbox = try sandbox()
        try sandbox.configure("kill-grace = 200ms\nhold-limit = \(state == "expired" ? "400ms" : "5min")")
        try sandbox.addHoldingHook("10-db", session: "db")
        try sandbox.expectSilent("freeze")
        sandbox.destroy(try #require(sandbox.parts(part).first))
        if state == "expired" && part == "holder" { #expect(eventually { sandbox.trace.count == 2 }) }
        #expect(eventually { part == "guard" || state == "frozen" || sandbox.parts("guard").isEmpty })
        try sandbox.expectSilent("thaw")
        if part == "holder" {
            #expect(sandbox.verdict?.contains("hold db lost at ") == true, "\(sandbox.verdict ?? "")")
            #expect(sandbox.verdict?.hasPrefix("crash-consistent") == true)
        } else {
            #expect(sandbox.messages.contains("the guard had been killed before the thaw"))
            #expect(sandbox.verdict == "application-consistent")
        }
        sandbox.expectNothingLeft()
    }

    @Test func `A hold works without a guard`() throws {
        let sandbox = try sandbox()
        try sandbox.configure("hold-limit = 0")
        try sandbox.addHoldingHook("10-db", session: "db")
        try sandbox.expectSilent("freeze")
        let holder = try holder(sandbox)
        #expect(getsid(holder) == holder)
        try sandbox.expectSilent("thaw")
        #expect(sandbox.verdict == "application-consistent")
        sandbox.expectNothingLeft()
    }

    @Test func `A rollback ends the sessions`() throws {
        let sandbox = try sandbox()
        try sandbox.configure("on-failure = abort\nkill-grace = 200ms")
        try sandbox.addHoldingHook("10-db", session: "db")
        try sandbox.addTracingHook("20-fails", then: "[ $1 = thaw ]")
        #expect(try sandbox.freeze().status == 1)
        #expect(sandbox.output(of: "10-db").contains("released"))
        sandbox.expectNothingLeft()
    }
}

extension String {
    fileprivate var trimmingSpace: String { String(reversed().drop { $0 == " " }.reversed()) }
}
