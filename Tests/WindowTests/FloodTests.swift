// SPDX-License-Identifier: Apache-2.0

import Glibc
import TestSupport
import Testing

/// Clients, leftovers and hooks that print without a pause: their reader hears everybody else, too.
@Suite struct FloodTests {
    /// The output that never ends.
    struct Flood: CustomTestStringConvertible, Sendable {
        var testDescription: String
        /// A shell's command that never ends.
        var command: String
    }

    static let floods = [
        Flood(testDescription: "zeros without a line's end", command: "cat /dev/zero"),
        Flood(testDescription: "newlines", command: "yes ''"),
        Flood(testDescription: "one byte at a time", command: "while :; do printf x; done"),
        Flood(testDescription: "long lines", command: "yes $(printf '%04000d' 0)"),
    ]

    private func sandbox() throws -> Sandbox {
        let sandbox = try Sandbox()
        try sandbox.configure("kill-grace = 200ms")
        mkdir(sandbox.runDirectory, 0o700)
        return sandbox
    }

    /// Holds a session of a shell's command.
    private func hold(_ sandbox: Sandbox, _ command: String, timeout: String) throws -> ProcessResult {
        try sandbox.runCommand([
            sandbox.program, "hold", "db", "--run-dir", sandbox.runDirectory, "--ready", "^ready$", "--timeout",
            timeout, "--", "sh", "-c", command,
        ])
    }

    private func release(_ sandbox: Sandbox) throws -> ProcessResult {
        try sandbox.runCommand([
            sandbox.program, "release", "db", "--run-dir", sandbox.runDirectory, "--timeout", "3s",
        ])
    }

    // MARK: - Sessions

    @Test(arguments: floods)
    func `A session whose client floods is released in its time`(flood: Flood) throws {
        let sandbox = try sandbox()
        #expect(try hold(sandbox, "echo ready; \(flood.command)", timeout: "1s").status == 0)
        let holder = try #require(sandbox.parts("holder").first)
        usleep(300_000)
        let released = try release(sandbox)
        #expect(released.stderr.contains("its release failed"), "\(released.stderr)")
        // The client has one second to end, and 0.2 s until it is killed.
        #expect(released.seconds < 5)
        #expect(eventually { !Processes.isAlive(holder) })
        sandbox.expectNothingLeft()
    }

    @Test(arguments: floods)
    func `What a client floods takes no memory while its session is held`(flood: Flood) throws {
        let sandbox = try sandbox()
        #expect(try hold(sandbox, "echo ready; \(flood.command)", timeout: "1s").status == 0)
        let holder = try #require(sandbox.parts("holder").first)
        usleep(200_000)
        let before = try Processes.peakMemory(of: holder)
        usleep(500_000)
        #expect(try Processes.peakMemory(of: holder) < before + 4 << 20)
        _ = try release(sandbox)
        sandbox.expectNothingLeft()
    }

    @Test(arguments: floods)
    func `A client that floods and is never ready fails in its time`(flood: Flood) throws {
        let sandbox = try sandbox()
        let result = try hold(sandbox, flood.command, timeout: "500ms")
        #expect(result.status == 1)
        #expect(result.stderr.contains("not ready within 500ms"), "\(result.stderr.suffix(200))")
        #expect(result.seconds < 10)
        sandbox.expectNothingLeft()
    }

    @Test(arguments: floods)
    func `A client is seen to end although what it has started goes on printing`(flood: Flood) throws {
        let sandbox = try sandbox()
        #expect(try hold(sandbox, "echo ready; { \(flood.command); } & sleep 0.2; exit 3", timeout: "1s").status == 0)
        usleep(500_000)
        let released = try release(sandbox)
        #expect(released.status == 1)
        #expect(released.stderr.contains("had ended at"), "\(released.stderr.suffix(200))")
        #expect(released.stderr.contains("ended with status 3"), "\(released.stderr.suffix(200))")
        for pid in sandbox.processes() { sandbox.destroy(pid) }
    }

    @Test func `A pattern is found in what stands around NUL bytes, also in a line without an end`() throws {
        let sandbox = try sandbox()
        for client in ["printf 'a\\000b\\000ready> '; exec cat", "printf '\\000\\000ready> \\n'; exec cat"] {
            let result = try sandbox.runCommand([
                sandbox.program, "hold", "db", "--run-dir", sandbox.runDirectory, "--ready", "ready> $", "--timeout",
                "5s", "--", "sh", "-c", client,
            ])
            #expect(result.status == 0, "\(result.stderr)")
            #expect(try release(sandbox).status == 0)
        }
        sandbox.expectNothingLeft()
    }

    // MARK: - Leftovers

    @Test func `Leftovers that flood neither hold up a thaw nor drown the words of another`() throws {
        let sandbox = try Sandbox()
        for (index, flood) in Self.floods.enumerated() {
            try sandbox.addHook(
                "1\(index)-flood", "[ $1 = freeze ] || exit 0\n{ sleep 0.2; \(flood.command); } &")
        }
        try sandbox.addHook(
            "20-quiet",
            """
            [ $1 = freeze ] || exit 0
            { sleep 0.4; echo late words; touch $TEST_SANDBOX/said; exec sleep 1000; } &
            """)
        try sandbox.expectSilent("freeze")
        #expect(eventually { Files.exists("\(sandbox.path)/said") })
        usleep(500_000)
        let drainer = try #require(sandbox.parts("drain-output").first)
        #expect(try Processes.peakMemory(of: drainer) < 64 << 20)
        let thaw = try sandbox.thaw()
        #expect(thaw.status == 0, "\(thaw.stderr)")
        #expect(thaw.seconds < 20)
        #expect(sandbox.messages.contains("20-quiet (left running): late words"))
        for index in Self.floods.indices {
            #expect(sandbox.messages.contains { $0.hasPrefix("1\(index)-flood (left running): ") })
        }
        #expect(sandbox.log.utf8.count < 4 << 20)
    }

    // MARK: - Hooks

    @Test(arguments: floods)
    func `A hook that floods is ended in its time, and the next one runs`(flood: Flood) throws {
        let sandbox = try Sandbox()
        try sandbox.configure("kill-grace = 200ms\n[hook flood]\ntimeout = 500ms")
        try sandbox.addHook("10-flood", "[ \"$1\" = freeze ] || exit 0\n\(flood.command)")
        try sandbox.addTracingHook("20-next")
        let freeze = try sandbox.freeze()
        #expect(freeze.status == 0, "\(freeze.stderr)")
        #expect(freeze.seconds < 10)
        #expect(sandbox.ending(of: "10-flood")?.contains("time limit of 500ms exceeded") == true)
        #expect(sandbox.trace == ["20-next freeze freeze"])
        #expect(sandbox.strays() == [])
        #expect(sandbox.log.utf8.count < 4 << 20)
        try sandbox.expectSilent("thaw")
        sandbox.expectNothingLeft()
    }

    @Test(arguments: floods)
    func `A hook that floods hears the request to stop`(flood: Flood) throws {
        let sandbox = try Sandbox()
        try sandbox.configure("kill-grace = 200ms")
        try sandbox.addHook("10-flood", "[ \"$1\" = freeze ] || exit 0\n\(flood.command)")
        let freeze = try sandbox.start(["freeze"])
        #expect(eventually { sandbox.messages.contains { $0.hasPrefix("10-flood: ") } })
        freeze.kill(SIGTERM)
        #expect(try freeze.wait(within: 20).seconds < 20)
        #expect(sandbox.ending(of: "10-flood")?.contains("interrupted") == true)
        try sandbox.expectSilent("thaw")
        sandbox.expectNothingLeft()
    }
}
