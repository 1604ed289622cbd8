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
            ssize_t write(int descriptor, const void *bytes, size_t count) {
                if (count > 8 && memcmp(bytes, "process\\t", 8) == 0) {
                    errno = ENOSPC;
                    return -1;
                }
                return NEXT(write)(descriptor, bytes, count);
            }
            """)
        let call = try sandbox.start([action], environment: environment)
        #expect(eventually { sandbox.strays().contains { $0.hasPrefix("sleep") } })
        call.kill(SIGKILL)
        _ = try call.wait()
        #expect(sandbox.isQuiet(), "\(sandbox.strays())")
    }
}
