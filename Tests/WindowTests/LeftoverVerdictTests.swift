// SPDX-License-Identifier: Apache-2.0

import Glibc
import TestSupport
import Testing

/// What a hook leaves running, such as a client whose session has the lock, and what its early end does to the verdict.
@Suite struct LeftoverVerdictTests {
    private static let words = "crash-consistent: what 10-db left running ended before the thaw"

    /// A hook that leaves a process behind, whose pid it notes.
    private func sandbox(_ configuration: String = "", leaving start: String) throws -> Sandbox {
        let sandbox = try Sandbox()
        try sandbox.configure("kill-grace = 200ms\n\(configuration)")
        try sandbox.addHook(
            "10-db",
            """
            pid=$TEST_SANDBOX/pid
            if [ $1 = thaw ]; then kill $(cat $pid) 2> /dev/null; exit 0; fi
            \(start)
            until [ -s $pid ]; do sleep 0.01; done
            """)
        return sandbox
    }

    private func leftover(of sandbox: Sandbox) throws -> pid_t {
        try #require(pid_t(Files.text(of: "\(sandbox.path)/pid").filter(\.isNumber)))
    }

    private func record(_ sandbox: Sandbox) -> String { Files.text(of: "\(sandbox.runDirectory)/cycle") }

    private static let ways = [
        "sleep 1000 & echo $! > $pid", "sleep 1000 > /dev/null 2>&1 & echo $! > $pid",
        // A daemon: another session, its parent gone.
        "setsid sh -c 'sleep 1000 > /dev/null 2>&1 & echo $! > $TEST_SANDBOX/pid'",
        // Nothing of the hook is in its environment.
        "(env -i TEST=$TEST_SANDBOX setsid sleep 1000 > /dev/null 2>&1 & echo $! > $pid)",
        // The child of what is left.
        "setsid sh -c 'sleep 1000 & echo $! > $TEST_SANDBOX/pid; wait' > /dev/null 2>&1 &",
    ]

    @Test(arguments: ways) func `An end before the thaw is a reason, with its time`(start: String) throws {
        let sandbox = try sandbox(leaving: start)
        try sandbox.addTracingHook("20-other")
        try sandbox.expectFreeze()
        sandbox.destroy(try leftover(of: sandbox))
        #expect(eventually { record(sandbox).contains("\nleft-ended\t") }, "the guard notes it:\n\(record(sandbox))")
        try sandbox.expectThaw()
        let verdict = try #require(sandbox.verdict)
        #expect(verdict.hasPrefix("\(Self.words), at 20"), "\(verdict)")
        let status = try sandbox.run(["status", "--json"])
        #expect(status.status == 2)
        #expect(status.stdout.contains("\"leftover-ended\""))
        #expect(sandbox.isQuiet())
    }

    @Test(arguments: ways) func `What lives until the thaw is none`(start: String) throws {
        let sandbox = try sandbox(leaving: start)
        try sandbox.expectFreeze()
        #expect(record(sandbox).contains("\nleft\t\(sandbox.hookDirectory)/10-db\t"))
        try sandbox.expectThaw()
        #expect(sandbox.verdict == "application-consistent")
        #expect(sandbox.isQuiet())
    }

    @Test func `Without a guard the moment is not known`() throws {
        let sandbox = try sandbox("hold-limit = 0", leaving: Self.ways[0])
        try sandbox.expectFreeze()
        sandbox.destroy(try leftover(of: sandbox))
        try sandbox.expectThaw()
        #expect(sandbox.verdict == Self.words)
    }

    @Test func `An end while the next hook is frozen is a reason`() throws {
        let sandbox = try sandbox(leaving: "sleep 1000 > /dev/null 2>&1 & echo $! > $pid")
        try sandbox.addHook("20-slow", "[ $1 = thaw ] || { kill -9 $(cat $TEST_SANDBOX/pid); sleep 0.2; }")
        try sandbox.expectFreeze()
        try sandbox.expectThaw()
        #expect(sandbox.verdict?.hasPrefix(Self.words) == true, "\(sandbox.log)")
    }

    @Test func `What a hook without work leaves is not taken for another hook's`() throws {
        let sandbox = try Sandbox()
        try sandbox.addTracingHook("10-a")
        try sandbox.addHook("20-none", "sleep 0.3 > /dev/null 2>&1 & exit 77")
        try sandbox.expectFreeze()
        usleep(400_000)
        try sandbox.expectThaw()
        #expect(sandbox.verdict == "application-consistent", "\(sandbox.log)")
    }

    @Test func `The configuration can say that it means nothing`() throws {
        let sandbox = try sandbox("[hook db]\nleftovers = ignore", leaving: Self.ways[0])
        try sandbox.expectFreeze()
        sandbox.destroy(try leftover(of: sandbox))
        try sandbox.expectThaw()
        #expect(sandbox.verdict == "application-consistent")
    }

    @Test func `A helper that ends a moment after its hook means nothing`() throws {
        let sandbox = try Sandbox()
        try sandbox.addHook("10-a", "[ $1 = thaw ] || { sleep 0.01 > /dev/null 2>&1 & }")
        for _ in 0..<5 {
            try sandbox.expectFreeze()
            try sandbox.expectThaw()
            #expect(sandbox.verdict == "application-consistent")
        }
    }

    @Test func `The helpers of what is left come and go`() throws {
        let sandbox = try sandbox(
            leaving: "(while [ ! -e $TEST_SANDBOX/gone ]; do sleep 0.02; done) > /dev/null 2>&1 & echo $! > $pid")
        try sandbox.expectFreeze()
        usleep(200_000)
        try sandbox.expectThaw()
        #expect(sandbox.verdict == "application-consistent")
    }

    // A process with a connection, as a client of a server has one; it notes its pid.
    private static let client = """
        python3 -c 'import os, socket, time
        pair = socket.socketpair()
        open(os.environ["TEST_SANDBOX"] + "/pid", "w").write(str(os.getpid()))
        time.sleep(1000)'
        """

    private static let helpers = [
        // The shell waits for the loop, not for the client.
        "( (while sleep 0.02; do :; done) | \(client) ) > /dev/null 2>&1 &",
        "nohup sh -c '(while sleep 0.02; do :; done) & \(client.replacing("'", with: "'\\''")); wait' > /dev/null 2>&1 &",
    ]

    @Test(arguments: helpers) func `A client behind a helper that lives on is no helper`(start: String) throws {
        let sandbox = try sandbox(leaving: start)
        for isEnded in [true, false] {
            unlink("\(sandbox.path)/pid")
            try sandbox.expectFreeze()
            let client = try leftover(of: sandbox)
            if isEnded { sandbox.destroy(client) }
            try sandbox.expectThaw()
            let verdict = try #require(sandbox.verdict)
            #expect(isEnded ? verdict.hasPrefix(Self.words) : verdict == "application-consistent", "\(verdict)")
        }
    }

    @Test func `A helper that has inherited its parent's socket means nothing`() throws {
        let sandbox = try sandbox(
            leaving: """
                python3 -c 'import os, socket, subprocess
                pair = socket.socketpair()
                for end in pair: end.set_inheritable(True)
                open(os.environ["TEST_SANDBOX"] + "/pid", "w").write(str(os.getpid()))
                while True: subprocess.run(["sleep", "0.2"], close_fds=False)' > /dev/null 2>&1 &
                """)
        try sandbox.expectFreeze()
        usleep(400_000)
        try sandbox.expectThaw()
        #expect(sandbox.verdict == "application-consistent")
    }

    @Test(arguments: ["", "hold-limit = 0"])
    func `A held session, its holder and a drainer are no leftovers`(configuration: String) throws {
        let sandbox = try Sandbox()
        try sandbox.configure("kill-grace = 200ms\n\(configuration)")
        try sandbox.addHoldingHook("10-db", session: "db")
        try sandbox.addHook("20-a", "[ $1 = thaw ] && exit 0; sleep 1000 & echo $! > $TEST_SANDBOX/pid")
        try sandbox.expectFreeze()
        let record = record(sandbox)
        #expect(record.split(separator: "\n").count { $0.hasPrefix("left\t") } == 1, "\(record)")
        for holder in sandbox.parts("holder") { sandbox.destroy(holder) }
        try sandbox.expectThaw()
        let verdict = try #require(sandbox.verdict)
        #expect(verdict.contains("hold db lost at") && !verdict.contains("left running"), "\(verdict)")
    }

    @Test func `A rehearsal tells of it`() throws {
        let sandbox = try sandbox(leaving: "sleep 0.3 > /dev/null 2>&1 & echo $! > $pid")
        let result = try sandbox.run(["rehearse", "--hold", "1s"])
        #expect(result.status == 2)
        #expect(result.stdout.contains("what 10-db left running ended before the thaw, at 20"), "\(result.stdout)")
    }

    /// The client of a stock-style hook, which ends by itself before the thaw of another hook comes to it.
    @Test func `It is looked for just before the hook's own thaw`() throws {
        let sandbox = try sandbox(leaving: "sleep 1000 > /dev/null 2>&1 & echo $! > $pid")
        try sandbox.addHook("20-slow", "[ $1 = freeze ] || { kill -9 $(cat $TEST_SANDBOX/pid); sleep 0.2; }")
        try sandbox.expectFreeze()
        try sandbox.expectThaw()
        #expect(sandbox.verdict?.hasPrefix(Self.words) == true, "\(sandbox.log)")
    }

    @Test func `A second thaw of the hook finds no fault in what its first has ended`() throws {
        let sandbox = try sandbox("hold-limit = 100ms", leaving: Self.ways[1])
        try sandbox.expectFreeze()
        #expect(eventually { record(sandbox).contains("\tthawed\t") || sandbox.parts("guard").isEmpty })
        try sandbox.expectThaw()
        #expect(sandbox.verdict?.hasPrefix("crash-consistent: the guard ended the window at ") == true)
        #expect(sandbox.verdict?.contains("left running") == false)
    }
}
