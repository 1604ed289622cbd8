// SPDX-License-Identifier: Apache-2.0

import Glibc
import TestSupport
import Testing

/// Hooks that leave a child behind which keeps their standard output.
@Suite struct LeftoverTests {
    /// A hook that leaves a child behind at the freeze.
    private func sandbox(leaving child: String) throws -> Sandbox {
        let sandbox = try Sandbox()
        let script = """
            [ $1 = freeze ] || exit 0
            echo before
            { \(child)
            } &
            echo $! > $TEST_SANDBOX/pid
            """
        try sandbox.addHook("10-holder", script)
        return sandbox
    }

    private func child(of sandbox: Sandbox) throws -> pid_t {
        try #require(pid_t(Files.text(of: "\(sandbox.path)/pid").filter(\.isNumber)))
    }

    /// The output of the children that were left, in the log.
    private func late(_ sandbox: Sandbox) -> [String] {
        sandbox.messages.filter { $0.hasPrefix("10-holder (left running): ") }.map { String($0.dropFirst(26)) }
    }

    @Test func `Neither freeze nor thaw waits for the child, and the child lives on`() throws {
        let sandbox = try sandbox(leaving: "exec sleep 1000")
        expectSilentSuccess(try sandbox.run(["freeze"], within: 20))
        #expect(Processes.isAlive(try child(of: sandbox)))
        #expect(sandbox.ending(of: "10-holder")?.contains("status=0") == true)
        expectSilentSuccess(try sandbox.run(["thaw"], within: 20))
        #expect(Processes.isAlive(try child(of: sandbox)))
    }

    @Test func `The thaw does not wait for a daemon that it starts`() throws {
        let sandbox = try Sandbox()
        let daemon = "echo $$ > $TEST_SANDBOX/pid; echo up; exec sleep 1000"
        try sandbox.addHook("10-daemon", "[ $1 = freeze ] || setsid sh -c '\(daemon)' &")
        try sandbox.expectFreeze()
        expectSilentSuccess(try sandbox.run(["thaw"], within: 20))
        #expect(eventually { Files.text(of: "\(sandbox.path)/pid").hasSuffix("\n") })
        #expect(Processes.isAlive(try child(of: sandbox)))
    }

    @Test(arguments: ["freeze", "thaw"])
    func `Nothing that stays behind holds the caller's descriptors`(action: String) throws {
        let sandbox = try Sandbox()
        try sandbox.addHook("10-holder", "sleep 1000 &\necho $! > $TEST_SANDBOX/pid")
        // Agents from 9.1 on read to end-of-file before they wait.
        let reader = ["/bin/sh", "-c", "{ \"$@\" 2>&1; echo status $?; } | cat", "sh", sandbox.program, action]
        let result = try sandbox.runCommand(reader + sandbox.options, within: 20)
        #expect(result.stdout == "status 0\n")
        #expect(Processes.isAlive(try child(of: sandbox)))
    }

    @Test func `What the child says until the thaw is in the log`() throws {
        let sandbox = try sandbox(
            leaving: """
                while ! [ -e $TEST_SANDBOX/go ]; do sleep 0.02; done
                echo late words; printf 'bell \\007\\n' >&2; printf 'no newline'
                touch $TEST_SANDBOX/said; exec sleep 1000
                """)
        try sandbox.expectFreeze()
        #expect(late(sandbox) == [])
        try Files.write("", to: "\(sandbox.path)/go")
        #expect(eventually { Files.exists("\(sandbox.path)/said") })
        try sandbox.expectThaw()
        #expect(sandbox.messages.contains("10-holder: before"))
        #expect(late(sandbox) == ["late words", "bell \\x07", "no newline"])
    }

    @Test func `The last words of a child that has ended before the thaw are in the log`() throws {
        let sandbox = try sandbox(leaving: "sleep 0.2; echo last words")
        try sandbox.expectFreeze()
        let child = try child(of: sandbox)
        #expect(eventually { !Processes.isAlive(child) })
        try sandbox.expectThaw()
        #expect(late(sandbox) == ["last words"])
        #expect(sandbox.isQuiet())
    }

    @Test func `A write after the thaw neither kills nor stops the child`() throws {
        let sandbox = try sandbox(
            leaving:
                "while echo tick; do echo >> $TEST_SANDBOX/ticks; sleep 0.01; done; echo broken > $TEST_SANDBOX/end")
        func ticks() -> Int { Files.bytes(of: "\(sandbox.path)/ticks")?.count ?? 0 }
        try sandbox.expectFreeze()
        let child = try child(of: sandbox)
        try sandbox.expectThaw()
        let atThaw = ticks()
        #expect(eventually { ticks() > atThaw + 20 })
        #expect(Processes.isAlive(child))
        #expect(!Files.exists("\(sandbox.path)/end"))
    }

    @Test func `A flood after the hook's end stays out of memory, run directory and log`() throws {
        let bytes = 200 << 20
        let sandbox = try sandbox(
            leaving: "sleep 0.2; yes | head -c \(bytes); touch $TEST_SANDBOX/said; exec sleep 1000")
        try sandbox.expectFreeze()
        #expect(eventually(within: 30) { Files.exists("\(sandbox.path)/said") })
        let drainers = sandbox.processes().filter {
            Processes.commandLine(of: $0).hasPrefix("fsfreeze-hook drain-output ")
        }
        #expect(drainers.count == 1)
        for drainer in drainers { #expect(try Processes.peakMemory(of: drainer) < 64 << 20) }
        #expect(try Files.totalSize(in: sandbox.runDirectory) < 1 << 16)
        try sandbox.expectThaw()
        let dropped = try #require(late(sandbox).first { $0.hasSuffix("bytes are kept]") })
        let numbers = dropped.split { !$0.isNumber }.compactMap { Int($0) }
        #expect(numbers.count == 3 && numbers.reduce(0, +) == bytes)
        #expect(sandbox.log.utf8.count < 1 << 20)
    }

    @Test func `Many hooks leave children behind, and all are heard`() throws {
        let sandbox = try Sandbox()
        let names = (10..<60).map { "\($0)-holder" }
        for name in names {
            try sandbox.addHook(
                name,
                "[ $1 = freeze ] || exit 0\n(sleep 0.5; echo late; touch $TEST_SANDBOX/said-$$; exec sleep 1000) &")
        }
        expectSilentSuccess(try sandbox.run(["freeze"], within: 30))
        #expect(eventually { (try? said(sandbox)) == names.count })
        try sandbox.expectThaw()
        for name in names { #expect(sandbox.messages.contains("\(name) (left running): late")) }
    }

    private func said(_ sandbox: Sandbox) throws -> Int {
        try Files.names(in: sandbox.path).count { $0.hasPrefix("said-") }
    }
}
