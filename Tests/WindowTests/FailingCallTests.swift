// SPDX-License-Identifier: Apache-2.0

import Glibc
import TestSupport
import Testing

/// Calls to the kernel that fail in the window.
@Suite struct FailingCallTests {
    /// A cycle with a session and a process left running.
    private func sandbox(_ configuration: String = "") throws -> Sandbox {
        let sandbox = try Sandbox()
        try sandbox.configure("kill-grace = 200ms\nhold-limit = 2s\n\(configuration)")
        try sandbox.addHoldingHook("10-db", session: "db")
        try sandbox.addTracingHook("20-leftover", then: "[ $1 = thaw ] || { sleep 0.1; echo late; sleep 0.3; } &")
        return sandbox
    }

    private func holdMine(_ sandbox: Sandbox) throws {
        let command = ["hold", "mine", "--run-dir", sandbox.runDirectory, "--ready", "ready", "--"]
        #expect(try sandbox.runCommand([sandbox.program] + command + ["sh", "-c", "echo ready; exec cat"]).status == 0)
    }

    private func release(_ sandbox: Sandbox, _ name: String) throws -> ProcessResult {
        try sandbox.runCommand([sandbox.program, "release", name, "--run-dir", sandbox.runDirectory])
    }

    /// A connection that fails for want of descriptors says nothing of the listener.
    @Test(arguments: ["EMFILE", "ENFILE", "ENOMEM", "EAGAIN", "EACCES"])
    func `A connection that fails ends no session of somebody else`(errno: String) throws {
        let sandbox = try Sandbox()
        try sandbox.addTracingHook("10-a")
        try holdMine(sandbox)
        let environment = try sandbox.preload(
            "int connect(int a, const struct sockaddr *b, socklen_t c) { (void)a, (void)b, (void)c; return fail(\(errno)); }"
        )
        expectSilentSuccess(try sandbox.run(["freeze"], environment: environment))
        expectSilentSuccess(try sandbox.run(["thaw"], environment: environment))
        #expect(sandbox.parts("holder").count == 1)
        #expect(try release(sandbox, "mine").status == 0)
        sandbox.expectNothingLeft()
    }

    @Test func `A lock that the kernel does not give keeps neither freeze nor thaw`() throws {
        let sandbox = try sandbox()
        let environment = try sandbox.preload(
            "int flock(int a, int b) { return is(\"fsfreeze-hook\") ? fail(ENOLCK) : NEXT(flock)(a, b); }")
        expectSilentSuccess(try sandbox.run(["freeze"], environment: environment))
        expectSilentSuccess(try sandbox.run(["thaw"], environment: environment))
        #expect(sandbox.messages.contains { $0.contains("cannot be locked: No locks available") }, "\(sandbox.log)")
        #expect(sandbox.verdict == "application-consistent")
        sandbox.expectNothingLeft()
    }

    /// Has writes of the record's lines that begin with the text end with the errno.
    private func failingRecord(_ sandbox: Sandbox, _ line: String, _ errno: String, times: Int) throws
        -> [String: String]
    {
        try sandbox.preload(
            """
            static int count;
            ssize_t write(int file, const void *bytes, size_t size) {
                if (is("freeze") && size > sizeof("\(line)\\t") && memcmp(bytes, "\(line)\\t", sizeof "\(line)\\t" - 1) == 0
                    && count++ < \(times))
                    return fail(\(errno));
                return NEXT(write)(file, bytes, size);
            }
            """)
    }

    @Test(arguments: ["cycle", "moment", "guard", "start", "process", "end", "drainer"])
    func `A line of the record that fails once is written`(line: String) throws {
        let sandbox = try sandbox()
        expectSilentSuccess(
            try sandbox.run(["freeze"], environment: failingRecord(sandbox, line, "EIO", times: 1)))
        try sandbox.expectThaw()
        #expect(sandbox.verdict == "application-consistent")
        sandbox.expectNothingLeft()
    }

    @Test(arguments: ["cycle", "moment", "guard", "start", "process", "end", "drainer"])
    func `Of a cycle that lost its record nothing is left, and nobody is alarmed`(line: String) throws {
        let sandbox = try sandbox()
        expectSilentSuccess(
            try sandbox.run(["freeze"], environment: failingRecord(sandbox, line, "ENOSPC", times: 1000)))
        #expect(sandbox.isLocked("db"))
        _ = try sandbox.thaw()
        #expect(sandbox.trace.count { $0.hasPrefix("20-leftover thaw") } == 1)
        sandbox.expectNothingLeft()
        // The guard's limit passes.
        usleep(2_200_000)
        #expect(sandbox.trace.count { $0.hasPrefix("20-leftover thaw") } == 1)
        #expect(sandbox.runFiles == [])
        #expect(try sandbox.statusObject()["state"] as? String == "thawed")
    }

    @Test(arguments: ["EMFILE", "EIO"])
    func `A record that cannot be read once is read`(errno: String) throws {
        let sandbox = try sandbox()
        try sandbox.expectFreeze()
        let environment = try sandbox.preload(
            """
            static int count;
            int openat(int directory, const char *name, int flags, ...) {
                if (is("thaw") && strcmp(name, "cycle") == 0 && count++ == 0)
                    return fail(\(errno));
                return NEXT(openat)(directory, name, flags, 0600);
            }
            """)
        expectSilentSuccess(try sandbox.run(["thaw"], environment: environment))
        #expect(sandbox.verdict == "application-consistent", "\(sandbox.log)")
        sandbox.expectNothingLeft()
    }

    @Test func `Sockets of killed processes are swept`() throws {
        let sandbox = try sandbox()
        try sandbox.expectFreeze()
        for part in ["guard", "holder", "drain-output"] { for pid in sandbox.parts(part) { sandbox.destroy(pid) } }
        for pid in sandbox.processes() { sandbox.destroy(pid) }
        unlink("\(sandbox.runDirectory)/cycle")
        unlink("\(sandbox.runDirectory)/client-db")
        try Files.write("", to: "\(sandbox.runDirectory)/hold-x.lock")
        #expect(sandbox.runFiles.count == 4, "\(sandbox.runFiles)")
        _ = try sandbox.thaw()
        sandbox.expectNothingLeft()
    }

    @Test func `What killed processes have left is gone after the next freeze and the next thaw`() throws {
        let sandbox = try sandbox()
        try sandbox.expectFreeze()
        try sandbox.expectThaw()
        // connect(2) refuses a file that is no socket as it does a socket without a listener.
        let dead = ["cycle.new", "image.lock", "hold-x.lock", "hold-x", "drain-x", "guard-x"]
        func leave() throws {
            for name in dead { try Files.write("", to: "\(sandbox.runDirectory)/\(name)") }
        }
        try leave()
        try sandbox.expectFreeze()
        #expect(!sandbox.runFiles.contains(where: dead.contains), "\(sandbox.runFiles)")
        try leave()
        try sandbox.expectThaw()
        sandbox.expectNothingLeft()
    }

    @Test func `A file that cannot be removed at once is removed`() throws {
        let sandbox = try sandbox()
        let environment = try sandbox.preload(
            """
            static int count;
            int unlinkat(int directory, const char *name, int flags) {
                return is("fsfreeze-hook") && count++ == 0 ? fail(EAGAIN) : NEXT(unlinkat)(directory, name, flags);
            }
            """)
        expectSilentSuccess(try sandbox.run(["freeze"], environment: environment))
        try sandbox.expectThaw()
        sandbox.expectNothingLeft()
    }

    @Test(arguments: 1...6)
    func `A message that the kernel refuses once arrives`(number: Int) throws {
        let sandbox = try sandbox()
        let environment = try sandbox.preload(
            """
            static int count;
            ssize_t sendmsg(int socket, const struct msghdr *message, int flags) {
                return is("fsfreeze-hook") && ++count == \(number) ? fail(ENOMEM) : NEXT(sendmsg)(socket, message, flags);
            }
            """)
        expectSilentSuccess(try sandbox.run(["freeze"], environment: environment))
        try sandbox.expectThaw()
        #expect(sandbox.verdict == "application-consistent", "\(sandbox.log)")
        sandbox.expectNothingLeft()
    }

    @Test func `Sixteen megabytes to a holder that does not read end with the time`() throws {
        let sandbox = try Sandbox()
        let environment = try sandbox.preload(
            """
            // A child's memory is its parent's until it executes its program.
            static pid_t holder;
            int execve(const char *path, char *const arguments[], char *const environment[]) {
                if (arguments[1] != NULL && strcmp(arguments[1], "holder") == 0)
                    holder = getpid();
                return NEXT(execve)(path, arguments, environment);
            }
            ssize_t sendmsg(int socket, const struct msghdr *message, int flags) {
                if (holder != 0)
                    kill(holder, SIGSTOP);
                return NEXT(sendmsg)(socket, message, flags);
            }
            """)
        let hold = "\(sandbox.program) hold db --run-dir \(sandbox.runDirectory) --ready ready --timeout 1s -- cat"
        let result = try sandbox.runCommand(
            ["/bin/sh", "-c", "head -c 16000000 /dev/zero | \(hold)"], environment: environment, within: 15)
        #expect(result.status == 1)
        #expect(result.stderr.contains("the holder does not answer"), "\(result.stderr)")
    }
}
