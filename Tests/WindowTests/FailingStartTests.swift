// SPDX-License-Identifier: Apache-2.0

import Glibc
import TestSupport
import Testing

/// Processes of the program that cannot be started, or not as they should.
@Suite struct FailingStartTests {
    /// Has starts of this part of the program end with the errno, the first `times` of each process: a child's memory is
    /// its parent's until it executes its program.
    private func failingStart(_ sandbox: Sandbox, of part: String, _ errno: String, times: Int = 1000) throws
        -> [String: String]
    {
        try sandbox.preload(
            """
            static int count;
            int execve(const char *path, char *const arguments[], char *const environment[]) {
                if (arguments[1] != NULL && strcmp(arguments[1], "\(part)") == 0 && count++ < \(times)) {
                    errno = \(errno);
                    return -1;
                }
                return NEXT(execve)(path, arguments, environment);
            }
            """)
    }

    /// A hook that leaves a client behind, which has a lock and talks.
    private func sandbox(_ limit: String) throws -> Sandbox {
        let sandbox = try Sandbox()
        try sandbox.configure("hold-limit = \(limit)")
        let flock = try Tools.command("flock", package: "util-linux")
        try sandbox.addTracingHook(
            "10-client",
            then: """
                case $1 in
                freeze)
                    { exec 9>>$TEST_SANDBOX/lock-client; \(flock) 9
                      while [ ! -e $TEST_SANDBOX/end ]; do echo tick; echo >>$TEST_SANDBOX/ticks; sleep 0.01; done; } &
                    ;;
                thaw) [ -s $TEST_SANDBOX/ticks ] && touch $TEST_SANDBOX/end ;;
                esac
                """)
        return sandbox
    }

    private func ticks(_ sandbox: Sandbox) -> Int { Files.bytes(of: "\(sandbox.path)/ticks")?.count ?? 0 }

    @Test(arguments: ["EAGAIN", "ENOMEM", "EMFILE"])
    func `Without a drainer the guard reads what a hook left running, whose lock stays`(errno: String) throws {
        let sandbox = try sandbox("5min")
        let environment = try failingStart(sandbox, of: "drain-output", errno)
        expectSilentSuccess(try sandbox.run(["freeze"], environment: environment))
        let before = ticks(sandbox)
        #expect(eventually { ticks(sandbox) > before + 20 })
        #expect(sandbox.isLocked("client"))
        #expect(sandbox.messages.contains { $0.contains("the guard reads it") }, "\(sandbox.log)")
        expectSilentSuccess(try sandbox.run(["thaw"], environment: environment))
        #expect(sandbox.verdict == "application-consistent")
        sandbox.expectNothingLeft()
    }

    @Test func `The guard reads on after the window, and leaves with the last writer`() throws {
        let sandbox = try sandbox("150ms")
        try sandbox.addHook(
            "10-client",
            "[ $1 = thaw ] || while [ ! -e $TEST_SANDBOX/end ]; do echo tick; echo >>$TEST_SANDBOX/ticks; sleep 0.01; done &"
        )
        let environment = try failingStart(sandbox, of: "drain-output", "EAGAIN")
        expectSilentSuccess(try sandbox.run(["freeze"], environment: environment))
        #expect(eventually { sandbox.runFiles.contains("deferred") })
        expectSilentSuccess(try sandbox.run(["thaw"], environment: environment))
        let before = ticks(sandbox)
        #expect(eventually { ticks(sandbox) > before + 20 })
        // Also where nobody knows any more that the cycle has ended.
        unlink("\(sandbox.stateDirectory)/history.jsonl")
        try sandbox.expectThaw()
        let later = ticks(sandbox)
        #expect(eventually { ticks(sandbox) > later + 20 })
        #expect(!sandbox.log.contains("removed files"))
        try Files.write("", to: "\(sandbox.path)/end")
        sandbox.expectNothingLeft()
    }

    @Test func `Without drainer and guard the verdict says that the client may have ended`() throws {
        let sandbox = try sandbox("0")
        let environment = try failingStart(sandbox, of: "drain-output", "EAGAIN")
        expectSilentSuccess(try sandbox.run(["freeze"], environment: environment))
        #expect(eventually { sandbox.strays().isEmpty }, "SIGPIPE")
        _ = try sandbox.run(["thaw"], environment: environment)
        let reason = "what 10-client left running may have ended: its output has no reader"
        #expect(sandbox.verdict?.hasPrefix("crash-consistent: ") == true)
        #expect(sandbox.verdict?.contains(reason) == true, "\(sandbox.verdict ?? "")")
        sandbox.expectNothingLeft()
    }

    @Test func `A start that fails for a moment is tried again`() throws {
        let sandbox = try sandbox("0")
        let environment = try failingStart(sandbox, of: "drain-output", "EAGAIN", times: 2)
        expectSilentSuccess(try sandbox.run(["freeze"], environment: environment))
        #expect(sandbox.parts("drain-output").count == 1)
        expectSilentSuccess(try sandbox.run(["thaw"], environment: environment))
        #expect(sandbox.verdict == "application-consistent")
        sandbox.expectNothingLeft()
    }

    @Test(arguments: [true, false])
    func `A freeze that is killed at the start of its drainer leaves no drainer`(beforeStart: Bool) throws {
        let sandbox = try sandbox("5min")
        let environment = try sandbox.preload(
            """
            int execve(const char *path, char *const arguments[], char *const environment[]) {
                if (arguments[1] != NULL && strcmp(arguments[1], "drain-output") == 0 && is("freeze")) {
                    kill(getppid(), SIGKILL);
                    if (\(beforeStart ? 1 : 0))
                        _exit(0);
                }
                return NEXT(execve)(path, arguments, environment);
            }
            """)
        #expect(try sandbox.run(["freeze"], environment: environment).signal == SIGKILL)
        // The guard thaws at once.
        #expect(eventually { sandbox.trace.contains { $0.hasPrefix("10-client thaw") } })
        try Files.write("", to: "\(sandbox.path)/end")
        sandbox.expectNothingLeft()
    }

    // MARK: - The guard

    private static let expired = ["10-a freeze freeze", "10-a thaw expired"]

    private func guarded(_ limit: String) throws -> Sandbox {
        let sandbox = try Sandbox()
        try sandbox.configure("hold-limit = \(limit)")
        try sandbox.addTracingHook("10-a")
        return sandbox
    }

    /// The socket of a guard cannot be made, as under SELinux.
    private func withoutSocket(_ sandbox: Sandbox) throws -> [String: String] {
        try sandbox.preload(
            """
            int bind(int socket, const struct sockaddr *address, socklen_t size) {
                if (strstr(((const struct sockaddr_un *)address)->sun_path, "/guard-") != NULL)
                    return fail(EACCES);
                return NEXT(bind)(socket, address, size);
            }
            """)
    }

    @Test func `A guard without a socket guards, and is told of`() throws {
        let sandbox = try guarded("200ms")
        let freeze = try sandbox.run(["freeze"], environment: withoutSocket(sandbox))
        expectSilentSuccess(freeze)
        #expect(freeze.seconds < 1.5)
        #expect(sandbox.messages.contains { $0.hasPrefix("the guard has no socket: Permission denied") })
        #expect(eventually { sandbox.trace == Self.expired })
        #expect(sandbox.isQuiet())
        try sandbox.expectThaw()
        #expect(sandbox.trace == Self.expired)
        sandbox.expectNothingLeft()
    }

    @Test func `A thaw in time ends a guard without a socket`() throws {
        let sandbox = try guarded("5min")
        let environment = try withoutSocket(sandbox)
        try sandbox.addHoldingHook("20-db", session: "db")
        expectSilentSuccess(try sandbox.run(["freeze"], environment: environment))
        try sandbox.expectThaw()
        #expect(sandbox.verdict == "application-consistent")
        sandbox.expectNothingLeft()
    }

    @Test func `A guard that ends at its start keeps no freeze waiting`() throws {
        let sandbox = try guarded("5min")
        let environment = try sandbox.preload(
            "__attribute__((constructor)) static void die(void) { if (is(\"fsfreeze-hook\") && is(\"guard\")) _exit(1); }"
        )
        let freeze = try sandbox.run(["freeze"], environment: environment)
        expectSilentSuccess(freeze)
        #expect(freeze.seconds < 1.5)
        #expect(sandbox.messages.contains { $0.hasPrefix("the guard: it has ended at its start; ") }, "\(sandbox.log)")
        try sandbox.expectThaw()
        #expect(sandbox.verdict == "application-consistent")
        sandbox.expectNothingLeft()
    }

    @Test func `A guard that cannot be started is told of`() throws {
        let sandbox = try guarded("5min")
        expectSilentSuccess(try sandbox.run(["freeze"], environment: failingStart(sandbox, of: "guard", "EAGAIN")))
        #expect(sandbox.messages.contains { $0.hasPrefix("the guard: it cannot be started: ") }, "\(sandbox.log)")
        try sandbox.expectThaw()
        sandbox.expectNothingLeft()
    }
}
