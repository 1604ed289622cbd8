// SPDX-License-Identifier: Apache-2.0

import Glibc
import TestSupport
import Testing

/// The verdict on the image.
@Suite struct VerdictTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var hooks: [String]
        var verdict: String
        var configuration = ""
        var testDescription: String { "\(hooks) \(configuration)" }
    }

    private static func header(_ guarantee: String) -> String {
        "#!/bin/sh\n# fsfreeze-hook: guarantee = \(guarantee)\n"
    }

    @Test func `A hook that cannot be started for its thaw keeps no other from it, and is a reason`() throws {
        let sandbox = try Sandbox()
        try sandbox.configure("hold-limit = 0")
        let interpreter = sandbox.path + "/interpreter"
        try sandbox.addTracingHook("10-first")
        try Files.link(interpreter, to: "/bin/sh")
        try sandbox.addHook("20-script", "#!\(interpreter)\nexit 0\n")
        try sandbox.addHook("30-removed", "exit 0")
        try sandbox.addTracingHook("40-last")
        try sandbox.expectFreeze()
        #expect(unlink(interpreter) == 0)
        #expect(unlink("\(sandbox.hookDirectory)/30-removed") == 0)
        expectSilentSuccess(try sandbox.thaw())
        #expect(sandbox.trace.suffix(2) == ["40-last thaw thaw", "10-first thaw thaw"])
        expectSilentSuccess(try sandbox.run(["thaw", "--give-up"]))
        #expect(
            sandbox.verdict == "crash-consistent: 30-removed thaw finished with status=127 (it is no longer there); "
                + "20-script thaw finished with status=127 (its interpreter \(interpreter) is missing); "
                + "20-script may still be held: its thaw was given up; 30-removed may still be held: its thaw was given up"
        )
    }

    @Test(arguments: [
        Case(hooks: ["exit 0"], verdict: "application-consistent"),
        Case(hooks: [], verdict: "crash-consistent: no hook ran"),
        Case(hooks: ["exit 77"], verdict: "crash-consistent: no hook ran"),
        Case(hooks: ["exit 0", "exit 77"], verdict: "application-consistent"),
        Case(hooks: ["[ $1 = thaw ] || exit 3"], verdict: "crash-consistent: 1-hook finished with status=3"),
        Case(hooks: ["[ $1 = freeze ] || exit 3"], verdict: "crash-consistent: 1-hook thaw finished with status=3"),
        Case(
            hooks: ["exit 0", "[ $1 = thaw ] || kill -SEGV $$"],
            verdict: "crash-consistent: 2-hook finished with status=139 (killed by SIGSEGV)"),
        Case(
            hooks: ["[ $1 = thaw ] || sleep 100"],
            verdict:
                "crash-consistent: 1-hook finished with status=143 (time limit of 200ms exceeded, ended by SIGTERM)",
            configuration: "hook-timeout = 200ms"),
        Case(hooks: [header("application-consistent")], verdict: "application-consistent"),
        Case(
            hooks: ["exit 0", header("native-copy")], verdict: "native-copy: 2-hook promises no more than native-copy"),
        Case(
            hooks: [header("native-copy"), header("crash-consistent")],
            verdict: "crash-consistent: 2-hook promises no more than crash-consistent"),
        Case(hooks: [header("unsupported")], verdict: "unsupported: 1-hook promises no more than unsupported"),
        Case(
            hooks: [header("native-copy") + "exit 1"],
            verdict: "crash-consistent: 1-hook finished with status=1; 1-hook thaw finished with status=1"),
        Case(
            hooks: [header("native-copy")], verdict: "application-consistent",
            configuration: "[hook hook]\nguarantee = application-consistent"),
    ])
    func `It follows from what happened`(_ case: Case) throws {
        let sandbox = try Sandbox()
        try sandbox.configure(`case`.configuration)
        for (index, script) in `case`.hooks.enumerated() { try sandbox.addHook("\(index + 1)-hook", script) }
        try sandbox.expectFreeze()
        try sandbox.expectThaw()
        let expected = `case`.verdict.replacing("status=143", with: "status=")
        let got = sandbox.verdict?.replacing("status=143", with: "status=").replacing("status=124", with: "status=")
        #expect(got == expected)
        let status = try sandbox.run(["status"])
        #expect(status.status == (`case`.verdict == "application-consistent" ? 0 : 2))
        #expect(status.stdout.contains("last cycle: \(`case`.verdict.prefix { $0 != ":" })"))
        sandbox.expectNothingLeft()
    }

    @Test func `It says which hooks declared nothing, wherever it is shown`() throws {
        let sandbox = try Sandbox()
        let settled = "[hook settled]\nguarantee = application-consistent"
        try sandbox.configure("metrics-file = \(sandbox.path)/a.prom\n\(settled)")
        // A client without a server, whose failure the hook swallows.
        try sandbox.addHook("10-sql", "false || true")
        try sandbox.addHook("20-settled", "exit 0")
        try sandbox.addHook("30-none", "exit 77")
        try sandbox.addHook("40-said", Self.header("application-consistent"))
        try sandbox.expectFreeze()
        let image = Files.text(of: "\(sandbox.stateDirectory)/image")
        try sandbox.expectThaw()
        let words = "as far as 10-sql tells"
        #expect(sandbox.messages.last?.hasSuffix("): application-consistent, \(words)") == true, "\(sandbox.log)")
        let status = try sandbox.run(["status"])
        #expect(status.status == 0, "the verdict stays")
        #expect(status.stdout.contains("\n            \(words)\n"), "\(status.stdout)")
        for command in [["status", "--json"], ["history", "--json"], ["history", "show", "--json"]] {
            let text = try sandbox.run(command).stdout.filter { !$0.isWhitespace }
            #expect(text.contains(#""undeclared":["10-sql"]"#), "\(command): \(text)")
        }
        #expect(try sandbox.run(["history", "show"]).stdout.contains("\n         \(words)\n"))
        #expect(try sandbox.run(["status", "--nagios"]).stdout.contains(": application-consistent, \(words) |"))
        #expect(Files.text(of: "\(sandbox.path)/a.prom").contains("\nfsfreeze_hook_last_cycle_undeclared_hooks 1\n"))

        let restored = try Sandbox()
        try Files.makeDirectory(restored.stateDirectory, mode: 0o700)
        try Files.write(image.replacing(Boots.this, with: Boots.other), to: "\(restored.stateDirectory)/image")
        #expect(try restored.run(["status"]).stdout.contains("application-consistent, \(words)"))
        #expect(try restored.run(["status", "--json"]).stdout.contains("\"10-sql\""))
    }

    @Test func `A refused hook spoils it`() throws {
        let sandbox = try Sandbox()
        try sandbox.addHook("10-good", "exit 0")
        try sandbox.addHook("20-open", "exit 0", mode: 0o777)
        try sandbox.expectFreeze()
        try sandbox.expectThaw()
        #expect(sandbox.verdict == "crash-consistent: 20-open was not called with freeze: is writable by others")
    }

    @Test func `A thaw without a freeze has none`() throws {
        let sandbox = try Sandbox()
        try sandbox.addTracingHook("10-a")
        try sandbox.expectThaw()
        #expect(sandbox.verdict == nil)
        #expect(try sandbox.run(["status"]).stdout.contains("last cycle: none yet"))
    }
}
