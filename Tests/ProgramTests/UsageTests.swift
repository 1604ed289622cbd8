// SPDX-License-Identifier: Apache-2.0

import Glibc
import TestSupport
import Testing

/// The help of the command line, and wrong calls.
@Suite struct UsageTests {
    private let sandbox: Sandbox
    /// The program, called through a link that lies beside the sandbox's hooks.
    private let program: String

    init() throws {
        sandbox = try Sandbox()
        program = "\(sandbox.path)/fsfreeze-hook"
        try Files.link(program, to: sandbox.program)
        try sandbox.addTracingHook("10-a")
    }

    static let wrongCalls: [[String]] = [
        [], ["bogus"], [""], ["FREEZE"], ["Freeze"], ["freez"], ["freeze "], ["--freeze"], ["--bogus"], ["-x"],
        ["freeze", "now"], ["freeze", "thaw"], ["freeze", ""], ["freeze", "--bogus"], ["freeze", "--hook-dir"],
        ["freeze", "--json"], ["thaw", "-x"], ["thaw", "10-a"], ["thaw", "--log-file"], ["list", "--yaml"],
        ["list", "10-a"], ["--hook-dir", "/x", "freeze"], ["bogus", "--help-me"],
    ]

    @Test(arguments: wrongCalls)
    func `A wrong call runs nothing, shows the usage and ends with 64`(arguments: [String]) throws {
        let result = try sandbox.runCommand([program] + arguments)
        #expect(result.status == 64)
        #expect(result.stdout == "")
        #expect(result.stderr.lowercased().contains("usage: fsfreeze-hook"))
        #expect(sandbox.trace == [])
    }

    static let helpCalls: [(arguments: [String], word: String)] = [
        (["--help"], "thaw"), (["-h"], "freeze"), (["help"], "list"), (["help", "freeze"], "--hook-dir"),
        (["freeze", "--help"], "--log-file"), (["thaw", "--help"], "--run-dir"), (["help", "thaw"], "--config"),
        (["list", "-h"], "--json"), (["--version"], "."),
    ]

    @Test(arguments: helpCalls)
    func `Help goes to standard output and runs nothing`(arguments: [String], word: String) throws {
        let result = try sandbox.runCommand([program] + arguments)
        #expect(result.status == 0)
        #expect(result.stderr == "")
        #expect(result.stdout.contains(word))
        #expect(sandbox.trace == [])
        #expect(!Files.exists(sandbox.runDirectory))
    }

    @Test func `Places may be given relative to the working directory`() throws {
        let script =
            "cd \"$TEST_SANDBOX\"; exec \"$0\" freeze --hook-dir fsfreeze-hook.d --log-file hook.log --run-dir run"
        let result = try sandbox.runCommand(
            ["/bin/sh", "-c", "\(script) --state-dir state --config fsfreeze-hook.conf", sandbox.program])
        expectSilentSuccess(result)
        #expect(sandbox.trace == ["10-a freeze freeze"])
        #expect(sandbox.frozenSummary == "frozen: 1 hook, 0 failed")
        try sandbox.expectThaw()
        #expect(sandbox.cycle("thawed: ") != nil)
    }
}
