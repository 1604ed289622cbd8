// SPDX-License-Identifier: Apache-2.0

import Glibc
import TestSupport
import Testing

/// The way qemu-ga calls the program: its path and one word, places beside that path.
@Suite struct DirectPathTests {
    /// Runs the words in the order given, all in one mount namespace with a /run of its own; returns what it printed.
    private func run(_ sandbox: Sandbox, _ calls: String) throws -> String {
        let command =
            try PrivateMounts.prefix(PrivateMounts.emptyRun) + ["/bin/sh", "-c", "cd \"$TEST_SANDBOX\"; \(calls)"]
        let result = try sandbox.runCommand(command)
        #expect(result.stderr == "")
        return result.stdout
    }

    private func sandbox() throws -> Sandbox {
        let sandbox = try Sandbox()
        try sandbox.configure("log-file = \(sandbox.logFile)")
        for name in ["10-a", "20-b"] { try sandbox.addTracingHook(name) }
        return sandbox
    }

    private let cycle = ["10-a freeze freeze", "20-b freeze freeze", "20-b thaw thaw", "10-a thaw thaw"]

    @Test(arguments: ["$TEST_SANDBOX/fsfreeze-hook", "./fsfreeze-hook", "../${TEST_SANDBOX##*/}/fsfreeze-hook"])
    func `Hooks and configuration lie beside the path it is called by, unresolved`(path: String) throws {
        let sandbox = try sandbox()
        try Files.link("\(sandbox.path)/fsfreeze-hook", to: sandbox.program)
        let calls =
            "\(path) freeze; echo $?; \(path) thaw; echo $?; ls -A /run/fsfreeze-hook; stat -c %a /run/fsfreeze-hook"
        #expect(try run(sandbox, calls) == "0\n0\n700\n")
        #expect(sandbox.trace == cycle)
        #expect(sandbox.cycle("thawed: ") == sandbox.cycle("frozen: "))
    }

    @Test func `Then they lie beside the link's target`() throws {
        let sandbox = try sandbox()
        try Files.link("\(sandbox.path)/target", to: sandbox.program)
        try Files.write(Files.bytes(of: sandbox.program) ?? [], to: "\(sandbox.path)/copy".utf8, mode: 0o755)
        try Files.makeDirectory("\(sandbox.path)/elsewhere")
        try Files.link("\(sandbox.path)/elsewhere/fsfreeze-hook", to: "../copy")
        #expect(try run(sandbox, "elsewhere/fsfreeze-hook freeze; elsewhere/fsfreeze-hook thaw; echo $?") == "0\n")
        #expect(sandbox.trace == cycle)
    }

    @Test func `A failure under abort is told on standard error`() throws {
        let sandbox = try sandbox()
        try sandbox.configure("log-file = \(sandbox.logFile)\non-failure = abort")
        try sandbox.addTracingHook("30-c", then: "exit 3")
        try Files.link("\(sandbox.path)/fsfreeze-hook", to: sandbox.program)
        let command = try PrivateMounts.prefix(PrivateMounts.emptyRun) + ["\(sandbox.path)/fsfreeze-hook", "freeze"]
        let result = try sandbox.runCommand(command)
        #expect(result.status == 1)
        #expect(result.stdout == "")
        #expect(result.stderr.hasPrefix("fsfreeze-hook: 30-c: "))
        #expect(sandbox.trace.count == 6)
    }

    @Test func `A path of any bytes is taken as it is`() throws {
        let sandbox = try sandbox()
        let strange = "$(printf 'd \\377\\n%%s')"
        let calls = """
            mkdir "\(strange)"; mv fsfreeze-hook.d fsfreeze-hook.conf "\(strange)"
            ln -s \(sandbox.program) "\(strange)/fsfreeze-hook"
            "\(strange)/fsfreeze-hook" freeze; "\(strange)/fsfreeze-hook" thaw; echo $?
            """
        #expect(try run(sandbox, calls) == "0\n")
        #expect(sandbox.trace == cycle)
        #expect(sandbox.messages.contains("execute \(sandbox.path)/d \\xff\\x0a%s/fsfreeze-hook.d/10-a freeze"))
    }

    @Test func `A freeze without a thaw is thawed by the next one`() throws {
        let sandbox = try sandbox()
        try Files.link("\(sandbox.path)/fsfreeze-hook", to: sandbox.program)
        let calls =
            "./fsfreeze-hook freeze; ./fsfreeze-hook freeze; echo $?; ./fsfreeze-hook thaw; ./fsfreeze-hook thaw"
        #expect(try run(sandbox, calls) == "0\n")
        #expect(sandbox.trace.map { $0.split(separator: " ")[2] }.filter { $0 == "recover" }.count == 2)
        #expect(sandbox.trace.count == 10)
    }
}
