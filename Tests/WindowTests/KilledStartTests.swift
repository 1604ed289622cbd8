// SPDX-License-Identifier: Apache-2.0

import Glibc
import TestSupport
import Testing

/// The starter of a program is killed before that program is executed: the kernel has the starter wait until then, and
/// the child goes on without it.
@Suite struct KilledStartTests {
    /// Starts a call, in which the program at `path` is executed only after a while, and kills its starter meanwhile.
    private func killStarter(of path: String, _ words: [String], in sandbox: Sandbox) throws {
        let call = try sandbox.start(
            words,
            through: [
                try Tools.command("strace", package: "strace"), "-f", "--quiet=all", "-o", "/dev/null", "-e",
                "trace=execve", "-P", path, "-e", "inject=execve:delay_enter=1000000",
            ])
        var starter: pid_t?
        let isFound = eventually {
            starter = sandbox.processes().first(where: Self.isWaiting)
            // Other waits in the kernel are over after a moment.
            usleep(100_000)
            return starter.map(Self.isWaiting) ?? false
        }
        #expect(isFound, "\(sandbox.log)")
        kill(try #require(starter), SIGKILL)
        // The guard ends what a killed freeze has left, and strace ends with its last process.
        #expect(eventually { !sandbox.strays().filter { $0.hasPrefix("sleep") }.isEmpty || !call.isRunning })
    }

    /// Whether the process waits for a child's execve(2): alone of its waits, this one takes no signal but SIGKILL.
    private static func isWaiting(_ pid: pid_t) -> Bool {
        Files.text(of: "/proc/\(pid)/stat").contains(") D ") && Processes.commandLine(of: pid).contains("fsfreeze-hook")
    }

    enum Case: String, CaseIterable { case freeze, thaw, thawWithoutCycle }

    @Test(arguments: Case.allCases) func `What a hook has become is ended by the next thaw`(_ situation: Case) throws {
        let sandbox = try Sandbox()
        try sandbox.configure("kill-grace = 200ms\nhold-limit = 5min")
        let action = situation == .freeze ? "freeze" : "thaw"
        let hook = try sandbox.addHook(
            "10-a", "#!/bin/sh\n[ $1 != \(action) ] || [ -e \(sandbox.path)/gate ] || exec sleep 1000\n")
        if situation == .thaw { try sandbox.expectFreeze() }
        try killStarter(of: hook, [action], in: sandbox)
        try sandbox.openGate()
        try sandbox.expectThaw()
        sandbox.expectNothingLeft()
    }

    /// A client that heeds neither SIGTERM nor the end of its input.
    @Test func `A session's client is ended by the next thaw`() throws {
        let sandbox = try Sandbox()
        try sandbox.configure("kill-grace = 200ms\nhold-limit = 5min")
        let client = try sandbox.addHook("client", "#!/bin/sh\ntrap '' TERM HUP\nexec sleep 1000\n")
        let place = "\(sandbox.path)/client"
        #expect(rename(client, place) == 0)
        try sandbox.addHook(
            "10-db",
            """
            [ $1 = thaw ] ||
                exec \(sandbox.program) hold db --run-dir "$FSFREEZE_RUN_DIR" --ready ready -- \(place)
            """)
        try killStarter(of: place, ["freeze"], in: sandbox)
        try sandbox.expectThaw()
        sandbox.expectNothingLeft()
    }

    /// As in a full /run.
    @Test(arguments: ["freeze", "thaw"]) func `A hook that cannot be recorded ends with its starter`(
        action: String
    ) throws {
        let sandbox = try Sandbox()
        try sandbox.configure("hold-limit = 0")
        try sandbox.addHook("10-a", "#!/bin/sh\nexec sleep 1000\n")
        let environment = try sandbox.preload(
            """
            ssize_t writev(int descriptor, const struct iovec *parts, int count) {
                return fail(ENOSPC);
            }
            """)
        let call = try sandbox.start([action], environment: environment)
        #expect(eventually { sandbox.strays().contains { $0.hasPrefix("sleep") } })
        call.kill(SIGKILL)
        _ = try call.wait()
        #expect(sandbox.isQuiet(), "\(sandbox.strays())")
    }

    /// The new record takes the place of the one that names the hook.
    @Test(arguments: ["thaw", "freeze"])
    func `A kill meanwhile does not forget what is being ended`(word: String) throws {
        let sandbox = try Sandbox()
        try sandbox.configure("kill-grace = 5s\nhold-limit = 0")
        try sandbox.addHook(
            "10-a", "[ -e \(sandbox.path)/gate ] || { trap '' TERM; : >\(sandbox.path)/gate; exec sleep 1000; }")
        let running = { sandbox.strays().contains { $0.hasPrefix("sleep 1000") } }
        for call in ["thaw", word] {
            let killed = try sandbox.start([call])
            #expect(eventually(running))
            usleep(300_000)
            killed.kill(SIGKILL)
            _ = try killed.wait(within: 10)
        }
        #expect(running())
        try sandbox.configure("kill-grace = 200ms\nhold-limit = 0")
        try sandbox.expectThaw()
        sandbox.expectNothingLeft()
    }

    /// Whoever kills it may hit it while it writes the line, in the memory of its starter.
    @Test func `A new process that is killed takes no starter with it`() throws {
        let sandbox = try Sandbox()
        try sandbox.addHook("10-a", "exit 0")
        let environment = try sandbox.preload(
            """
            static pid_t own;
            __attribute__((constructor)) static void note(void) { own = getpid(); }
            ssize_t writev(int file, const struct iovec *parts, int count) {
                if (own != getpid())
                    kill(getpid(), SIGKILL);
                return NEXT(writev)(file, parts, count);
            }
            """)
        #expect(try sandbox.run(["thaw"], environment: environment).signal == nil)
        #expect(sandbox.messages.contains { $0.contains("SIGKILL") }, "\(sandbox.log)")
        try sandbox.expectThaw()
    }

    @Test func `A caller without room for any file gets a session all the same`() throws {
        let sandbox = try Sandbox()
        let prlimit = try Tools.command("prlimit", package: "util-linux")
        let hold = "\(sandbox.program) hold db --run-dir \(sandbox.runDirectory)"
        let held = try sandbox.runCommand(
            ["/bin/sh", "-c", "echo ready | \(prlimit) --fsize=0 \(hold) --ready ready -- cat >/dev/null"],
            within: 15)
        #expect(held.status == 0, "\(held.stderr)")
        #expect(try sandbox.run(["release", "db", "--run-dir", sandbox.runDirectory]).status == 0)
    }
}
