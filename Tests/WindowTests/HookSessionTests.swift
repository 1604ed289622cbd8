// SPDX-License-Identifier: Apache-2.0

import Glibc
import TestSupport
import Testing

/// Sessions that hooks hold in the window.
@Suite struct HookSessionTests {
    private func sandbox(_ configuration: String = "") throws -> Sandbox {
        let sandbox = try Sandbox()
        try sandbox.configure("kill-grace = 200ms\n\(configuration)")
        return sandbox
    }

    private func release(_ sandbox: Sandbox, _ name: String) throws -> ProcessResult {
        try sandbox.runCommand([sandbox.program, "release", name, "--run-dir", sandbox.runDirectory, "--timeout", "5s"])
    }

    @Test func `A session has its lock from freeze to thaw, and no longer`() throws {
        let sandbox = try sandbox()
        try sandbox.addHoldingHook("10-db", session: "db")
        try sandbox.addHoldingHook("20-other", session: "other")
        for _ in 0..<3 {
            try sandbox.expectFreeze()
            #expect(sandbox.isLocked("db") && sandbox.isLocked("other"))
            try sandbox.expectThaw()
            #expect(!sandbox.isLocked("db") && !sandbox.isLocked("other"))
            #expect(sandbox.verdict == "application-consistent")
        }
        #expect(sandbox.output(of: "10-db").filter { $0 == "ready" }.count == 3)
        #expect(sandbox.output(of: "10-db").filter { $0 == "released" }.count == 3)
        sandbox.expectNothingLeft()
    }

    /// The program's own configuration is another one than the cycle's: `hold` gets no option that names it.
    @Test func `A session has the limits of its cycle, not of a configuration elsewhere`() throws {
        let sandbox = try sandbox("freeze-timeout = 4s\nhold-limit = 700ms\nthaw-timeout = 300ms")
        try sandbox.addHoldingHook("10-db", session: "db")
        try sandbox.expectFreeze()
        // Without its guard only the holder's own limit ends the session: 5 s from its start, and not 470 s.
        for guardian in sandbox.parts("guard") { sandbox.destroy(guardian) }
        #expect(sandbox.isLocked("db"))
        #expect(eventually(within: 12) { !sandbox.isLocked("db") })
        try sandbox.expectThaw()
        #expect(sandbox.verdict?.contains("nobody released it in time") == true, "\(sandbox.log)")
    }

    @Test func `The guard ends the sessions at the limit`() throws {
        let sandbox = try sandbox("hold-limit = 150ms")
        try sandbox.addHoldingHook("10-db", session: "db")
        try sandbox.expectFreeze()
        #expect(sandbox.isLocked("db"))
        #expect(eventually { !sandbox.isLocked("db") && sandbox.processes().isEmpty })
        #expect(sandbox.trace == ["10-db freeze freeze", "10-db thaw expired"])
        try sandbox.expectThaw()
        #expect(sandbox.verdict?.contains("lost") == false, "it was released as it should be: \(sandbox.verdict ?? "")")
        sandbox.expectNothingLeft()
    }

    @Test func `A hook that holds a name twice fails, and the first session is ended`() throws {
        let sandbox = try sandbox()
        try sandbox.addHoldingHook("10-db", session: "db")
        try sandbox.addHoldingHook("20-db", session: "db")
        try sandbox.expectFreeze()
        #expect(sandbox.isLocked("db"))
        #expect(sandbox.output(of: "20-db").contains { $0.contains("already held") })
        try sandbox.expectThaw()
        #expect(sandbox.verdict?.contains("20-db finished with status=1") == true)
        sandbox.expectNothingLeft()
    }

    @Test func `What a client says before it is ready is kept within bounds`() throws {
        let sandbox = try sandbox()
        try sandbox.addTracingHook(
            "10-db",
            then: """
                [ $1 = thaw ] || \(sandbox.program) hold db --run-dir "$FSFREEZE_RUN_DIR" --ready '^ready$' \
                    -- sh -c 'seq 200000; echo ready; exec cat'
                """)
        try sandbox.expectFreeze()
        try sandbox.expectThaw()
        #expect(sandbox.log.utf8.count < 100_000)
        #expect(sandbox.messages.contains { $0.hasPrefix("10-db: [") && $0.contains("bytes of output dropped") })
        #expect(sandbox.output(of: "10-db").contains("ready"))
        sandbox.expectNothingLeft()
    }

    // MARK: - The sample

    @Test func `The sample holds a session with at most ten lines of shell`() throws {
        let root = #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(3).joined(separator: "/")
        let sample = Files.text(of: "\(root)/hooks/20-database-session.sample")
        let code = sample.split(separator: "\n").filter { !$0.hasPrefix("#") }
        #expect(!code.isEmpty && code.count <= 10)

        let sandbox = try sandbox()
        // The hook finds the program in PATH, as an installed one; the server prints the text that it is asked for.
        try Files.makeDirectory("\(sandbox.path)/bin")
        try Files.link("\(sandbox.path)/bin/fsfreeze-hook", to: sandbox.program)
        let flock = try Tools.command("flock", package: "util-linux")
        let server = """
            #!/bin/sh
            exec 9>>\(sandbox.path)/lock-db
            \(flock) -n 9 || exit 1
            while read -r statement; do
                echo "$statement" >> \(sandbox.path)/statements
                case $statement in *"SELECT 'held'"*) echo held ;; esac
            done

            """
        try Files.write(server, to: "\(sandbox.path)/bin/mariadb", mode: 0o755)
        try sandbox.addHook("20-mariadb", sample)
        let environment = ["PATH": "\(sandbox.path)/bin:/usr/sbin:/usr/bin:/sbin:/bin"]
        let freeze = try sandbox.run(["freeze"], environment: environment)
        #expect(freeze.status == 0, "\(freeze.stderr)")
        #expect(sandbox.isLocked("db"), "\(sandbox.log)")
        #expect(try sandbox.run(["thaw"], environment: environment).status == 0)
        #expect(sandbox.verdict == "application-consistent", "\(sandbox.log)")
        #expect(Files.text(of: "\(sandbox.path)/statements").contains("BLOCK_COMMIT"))
        #expect(Files.text(of: "\(sandbox.path)/statements").hasSuffix("BACKUP STAGE END;\n"))
        sandbox.expectNothingLeft()
    }

    // MARK: - Lost, forgotten, rolled back

    @Test func `A session that ended before names the moment, also twice`() throws {
        let sandbox = try sandbox()
        try sandbox.addHoldingHook("10-db", session: "db")
        try sandbox.expectFreeze()
        sandbox.destroy(try #require(sandbox.clients.first))
        let released = try release(sandbox, "db")
        #expect(released.status == 1)
        #expect(released.stderr.contains("the session db had ended at 2"), "\(released.stderr)")
        #expect(released.stderr.contains("killed by SIGKILL"))
        #expect(try release(sandbox, "db").stderr.contains("had ended at 2"))
        try sandbox.expectThaw()
        #expect(sandbox.verdict?.contains("hold db lost at 2") == true, "\(sandbox.verdict ?? "")")
        sandbox.expectNothingLeft()
    }

    @Test func `A client that fails at its release has lost the session`() throws {
        let sandbox = try sandbox()
        try sandbox.addHoldingHook("10-db", session: "db", release: "echo server has gone away; exit 1")
        try sandbox.expectFreeze()
        try sandbox.expectThaw()
        #expect(sandbox.verdict?.contains("hold db lost at ") == true, "\(sandbox.verdict ?? "")")
        #expect(sandbox.verdict?.contains("server has gone away") == true)
        sandbox.expectNothingLeft()
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
        try sandbox.expectFreeze()
        try sandbox.expectThaw()
        #expect(sandbox.trace == ["20-b freeze freeze", "20-b thaw thaw", "bye"])
        #expect(sandbox.messages.contains { $0.contains("hold db was still open") })
        #expect(sandbox.verdict == "application-consistent")
        sandbox.expectNothingLeft()
    }

    @Test func `A hold works without a guard`() throws {
        let sandbox = try sandbox()
        try sandbox.configure("hold-limit = 0")
        try sandbox.addHoldingHook("10-db", session: "db")
        try sandbox.expectFreeze()
        let holder = try #require(sandbox.parts("holder").first)
        #expect(getsid(holder) == holder)
        try sandbox.expectThaw()
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
