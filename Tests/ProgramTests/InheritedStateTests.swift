// SPDX-License-Identifier: Apache-2.0

import Glibc
import TestSupport
import Testing

/// The state that the program inherits from its caller.
@Suite struct InheritedStateTests {
    /// Options of env(1) that hand on signals in another state than the default.
    static let signalStates = [
        "--ignore-signal=CHLD", "--block-signal=CHLD", "--ignore-signal=PIPE", "--block-signal=PIPE",
        "--ignore-signal=TERM", "--block-signal=TERM", "--ignore-signal=INT,HUP,QUIT,USR1,ALRM",
        "--block-signal=ALRM,INT,HUP,QUIT,USR1", "--ignore-signal", "--block-signal",
    ]

    private func through(_ option: String) throws -> [String] {
        [try Tools.command("env", package: "coreutils"), option]
    }

    @Test(arguments: signalStates)
    func `Hooks have default signals, and their statuses and limits are kept`(option: String) throws {
        let sandbox = try Sandbox()
        try sandbox.configure("kill-grace = 5s\n[hook slow]\ntimeout = 200ms")
        try sandbox.addHook("10-signals", "sed -n 's/^Sig\\(Blk\\|Ign\\):\\t//p' /proc/self/status")
        try sandbox.addHook("20-status", "exit 3")
        try sandbox.addHook("40-slow", "exec sleep 1000")
        mkfifo("\(sandbox.path)/pipe", 0o600)
        try sandbox.addHook("30-pipe", "(read -r line < $TEST_SANDBOX/pipe) &\nexec yes > $TEST_SANDBOX/pipe")
        expectSilentSuccess(try sandbox.run(["freeze"], through: through(option), within: 20))
        // Signals 32 and 33 belong to the C library; a child of a program with threads ignores them.
        let states = sandbox.output(of: "10-signals").compactMap { UInt64($0, radix: 16) }
        #expect(states.map { $0 & ~0x1_8000_0000 } == [0, 0])
        #expect(sandbox.ending(of: "20-status")?.contains("status=3 ") == true)
        #expect(sandbox.ending(of: "30-pipe")?.hasSuffix("(killed by SIGPIPE)") == true)
        #expect(sandbox.ending(of: "40-slow")?.hasSuffix("exceeded, ended by SIGTERM)") == true)
    }

    @Test(arguments: ["freeze", "thaw"])
    func `What is to be done is known where /proc cannot be read`(action: String) throws {
        let sandbox = try Sandbox()
        try sandbox.addTracingHook("10-a")
        let unshare = try Tools.command("unshare", package: "util-linux")
        // A freeze and a thaw as qemu-ga calls them find the hooks beside the program.
        try Files.link("\(sandbox.path)/fsfreeze-hook", to: sandbox.program)
        let mounts = ["/run", "/var/lib", "/var/log", "/proc"].map { "mount -t tmpfs tmpfs \($0)" }
        let script = (mounts + ["exec \(sandbox.path)/fsfreeze-hook \(action)"]).joined(separator: " && ")
        let result = try sandbox.runCommand([unshare, "--mount", "--propagation", "private", "sh", "-c", script])
        #expect(result.status == 0, "\(result)")
        #expect(sandbox.trace == ["10-a \(action) \(action)"])
    }

    @Test func `A timer of the caller's ends nothing`() throws {
        let sandbox = try Sandbox()
        try sandbox.addTracingHook("10-slow", then: "[ $1 = thaw ] || sleep 2.5")
        let perl = try Tools.command("perl", package: "perl-base")
        expectSilentSuccess(try sandbox.run(["freeze"], through: [perl, "-e", "alarm 2; exec @ARGV"]))
        #expect(sandbox.trace == ["10-slow freeze freeze"])
    }

    @Test(arguments: signalStates)
    func `SIGTERM still rolls a freeze back`(option: String) throws {
        let sandbox = try Sandbox()
        try sandbox.addTracingHook("10-slow", then: "[ $1 = thaw ] || exec sleep 1000")
        let freeze = try sandbox.start(["freeze"], through: through(option))
        #expect(eventually { sandbox.trace.count == 1 })
        freeze.kill(SIGTERM)
        #expect(try freeze.wait(within: 20).status == 1)
        #expect(sandbox.trace == ["10-slow freeze freeze", "10-slow thaw rollback"])
    }

    @Test(arguments: signalStates)
    func `A second freeze does not wait for ever`(option: String) throws {
        let sandbox = try Sandbox()
        try sandbox.addTracingHook("10-slow", then: "sleep 1000")
        let first = try sandbox.start(["freeze"])
        #expect(eventually { sandbox.trace.count == 1 })
        try sandbox.configure("freeze-timeout = 1s")
        #expect(try sandbox.run(["freeze"], through: through(option), within: 20).status == 75)
        #expect(first.isRunning)
    }

    @Test func `Sixteen descriptors are enough`() throws {
        let sandbox = try Sandbox()
        for index in 10..<60 { try sandbox.addTracingHook("\(index)-hook", then: "echo word") }
        for index in 60..<64 { try sandbox.addTracingHook("\(index)-holder", then: "sleep 1000 &") }
        let limit = ["/bin/sh", "-c", "ulimit -n 16; exec \"$@\"", "sh"]
        expectSilentSuccess(try sandbox.run(["freeze"], through: limit))
        #expect(sandbox.frozenSummary == "frozen: 54 hooks, 0 failed")
        expectSilentSuccess(try sandbox.run(["thaw"], through: limit))
        #expect(sandbox.thawedSummary == "thawed: 54 hooks, 0 failed")
        #expect(sandbox.trace.count == 108)
        #expect(sandbox.messages.count { $0.hasSuffix(": word") } == 100)
    }

    @Test func `Children that have ended before the program began do it no harm`() throws {
        let sandbox = try Sandbox()
        try sandbox.addHook("10-status", "sleep 0.1; exit 3")
        // An exec keeps the children of the process: these end while the hook runs.
        let parent = ["/bin/sh", "-c", "true & (exit 9) & sleep 0.05 & exec \"$@\"", "sh"]
        expectSilentSuccess(try sandbox.run(["freeze"], through: parent))
        #expect(sandbox.ending(of: "10-status")?.contains("status=3 ") == true)
    }

    /// An environment with a clock_gettime that is off the date while a file is there.
    private func jumpingClock(_ sandbox: Sandbox, by seconds: Int) throws -> [String: String] {
        try sandbox.preload(
            """
            int clock_gettime(clockid_t clock, struct timespec *time) {
                int result = NEXT(clock_gettime)(clock, time);
                if (clock == CLOCK_REALTIME && access("\(sandbox.path)/jump", F_OK) == 0)
                    time->tv_sec += \(seconds);
                return result;
            }
            """)
    }

    @Test(arguments: [-7200, 7200])
    func `A clock that jumps changes no limit`(seconds: Int) throws {
        let sandbox = try Sandbox()
        let environment = try jumpingClock(sandbox, by: seconds)
        try sandbox.configure("[hook slow]\ntimeout = 300ms\n[hook quick]\ntimeout = 20s")
        try sandbox.addHook("10-quick", "[ $1 = freeze ] || exit 0\ntouch $TEST_SANDBOX/jump; sleep 0.1")
        try sandbox.addHook("20-slow", "[ $1 = freeze ] || exit 0\nrm $TEST_SANDBOX/jump; exec sleep 1000")
        expectSilentSuccess(try sandbox.run(["freeze"], environment: environment, within: 20))
        // The clock did jump: the lines in between are two hours away from the others.
        #expect(Set(sandbox.log.split(separator: "\n").map { $0.prefix(13) }).count >= 2)
        let quick = try #require(sandbox.ending(of: "10-quick"))
        #expect(quick.contains("finished with status=0 in 0."))
        #expect(sandbox.ending(of: "20-slow")?.contains("time limit of 300ms exceeded") == true)
        #expect(sandbox.frozenSummary == "frozen: 2 hooks, 1 failed")
        try sandbox.expectThaw()
        #expect(sandbox.thawedSummary == "thawed: 2 hooks, 0 failed")
    }
}
