// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestSupport
import Testing

/// An upgrade while applications are held: the second version ends the processes of the first.
@Suite struct UpgradeTests {
    /// A program whose messages are of another version.
    struct Change: CustomTestStringConvertible, Sendable {
        var testDescription: String
        /// The steps from the built program's version, before and after.
        var before: Int
        var after: Int
    }

    static let changes = [
        Change(testDescription: "upgrade", before: 0, after: 1),
        Change(testDescription: "downgrade", before: 1, after: 0),
    ]

    /// The built program with another version of its messages; the number stands behind a mark (CLinux/version.c).
    private static func program(steps: Int) throws -> [UInt8] {
        var program = Data(try #require(Files.bytes(of: try Tools.program())))
        let mark = Data("fsfreeze-hook messages:\0".utf8)
        let place = try #require(program.range(of: mark))
        #expect(program.range(of: mark, in: place.upperBound..<program.endIndex) == nil)
        // Two bytes, the higher first.
        program[place.upperBound + 1] += UInt8(steps)
        return [UInt8](program)
    }

    /// Puts a version of the program where hooks and tests call it, with a new file as a package manager does.
    private func install(_ steps: Int, in sandbox: Sandbox) throws {
        let path = program(sandbox)
        try Files.write(try Self.program(steps: steps), to: Array("\(path).new".utf8), mode: 0o755)
        #expect(rename("\(path).new", path) == 0)
    }

    private func program(_ sandbox: Sandbox) -> String { "\(sandbox.path)/fsfreeze-hook" }

    private func run(_ action: String, in sandbox: Sandbox) throws -> ProcessResult {
        try sandbox.runCommand([program(sandbox), action] + sandbox.options)
    }

    private func sandbox(_ change: Change) throws -> Sandbox {
        let sandbox = try Sandbox()
        try install(change.before, in: sandbox)
        return sandbox
    }

    @Test(arguments: changes)
    func `A thaw of another version ends the guard, the sessions and what reads leftovers`(change: Change) throws {
        let sandbox = try sandbox(change)
        try sandbox.addTracingHook("10-db", then: try sandbox.holding("db", program: program(sandbox)))
        try sandbox.addTracingHook(
            "20-leftover",
            then: """
                [ $1 = freeze ] || exit 0
                { sleep 0.1; echo late words; touch $TEST_SANDBOX/said; exec sleep 1000; } &
                """)
        let freeze = try run("freeze", in: sandbox)
        #expect(freeze.status == 0, "\(freeze.stderr)")
        #expect(eventually { Files.exists("\(sandbox.path)/said") })
        for part in ["guard", "holder", "drain-output"] { #expect(sandbox.parts(part).count == 1, "\(part)") }
        #expect(sandbox.isLocked("db"))

        try install(change.after, in: sandbox)
        let thaw = try run("thaw", in: sandbox)
        #expect(thaw.status == 0, "\(thaw.stderr)")
        #expect(thaw.stdout + thaw.stderr == "")
        #expect(sandbox.verdict == "application-consistent")
        #expect(sandbox.output(of: "10-db") == ["ready", "released"])
        #expect(sandbox.messages.contains("20-leftover (left running): late words"))
        #expect(!sandbox.isLocked("db"))
        // The drainer reads on for the process that is left, as without an upgrade.
        for part in ["guard", "holder"] { #expect(eventually { sandbox.parts(part).isEmpty }, "\(part)") }
        for pid in sandbox.processes() where !sandbox.parts("drain-output").contains(pid) { sandbox.destroy(pid) }
        sandbox.expectNothingLeft()
    }

    @Test(arguments: changes)
    func `A forgotten session of another version is ended by the thaw`(change: Change) throws {
        let sandbox = try sandbox(change)
        let hold = try sandbox.holding("db", program: program(sandbox))
        try sandbox.addTracingHook("10-db", then: "[ $1 = freeze ] || exit 0\n\(hold)")
        #expect(try run("freeze", in: sandbox).status == 0)
        try install(change.after, in: sandbox)
        #expect(try run("thaw", in: sandbox).status == 0)
        #expect(sandbox.messages.contains { $0.hasSuffix("hold db was still open after all hooks: ended now") })
        sandbox.expectNothingLeft()
    }

    @Test(arguments: changes)
    func `A session is opened beside a guard of another version, without it`(change: Change) throws {
        let sandbox = try sandbox(change)
        try sandbox.addTracingHook("10-a")
        #expect(try run("freeze", in: sandbox).status == 0)
        try install(change.after, in: sandbox)
        let session = ["db", "--run-dir", sandbox.runDirectory]
        let held = try sandbox.runCommand(
            [program(sandbox), "hold"] + session + ["--ready", "ready", "--", "sh", "-c", "echo ready; exec cat"])
        #expect(held.status == 0, "\(held.stderr)")
        #expect(sandbox.parts("guard").count == 1)
        let released = try sandbox.runCommand([program(sandbox), "release"] + session)
        #expect(released.status == 0, "\(released.stderr)")
        #expect(try run("thaw", in: sandbox).status == 0)
        sandbox.expectNothingLeft()
    }

    @Test(arguments: changes)
    func `The guard of another version ends the window when no thaw comes`(change: Change) throws {
        let sandbox = try sandbox(change)
        try sandbox.configure("hold-limit = 500ms")
        try sandbox.addTracingHook("10-db", then: try sandbox.holding("db", program: program(sandbox)))
        #expect(try run("freeze", in: sandbox).status == 0)
        try install(change.after, in: sandbox)
        #expect(eventually { sandbox.trace.contains("10-db thaw expired") })
        #expect(eventually { !sandbox.isLocked("db") && sandbox.parts("guard").isEmpty })
        #expect(try run("thaw", in: sandbox).status == 0)
        #expect(sandbox.verdict?.hasPrefix("crash-consistent") == true)
        sandbox.expectNothingLeft()
    }
}
