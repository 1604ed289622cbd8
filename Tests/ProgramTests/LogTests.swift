// SPDX-License-Identifier: Apache-2.0

import Glibc
import TestSupport
import Testing

/// The log: what it says, and that it never decides whether hooks run.
@Suite struct LogTests {
    @Test func `The lines of a cycle are those of the stock script, with a time each`() throws {
        let sandbox = try Sandbox()
        try sandbox.configure("hold-limit = 0")
        try sandbox.addHook("10-a", "echo word")
        // The zone's offset has half an hour.
        for action in ["freeze", "thaw"] {
            expectSilentSuccess(try sandbox.run([action], environment: ["TZ": "TEST-05:30"]))
        }
        let hook = "\(sandbox.hookDirectory)/10-a"
        let expected = ["freeze", "thaw"].flatMap { action in
            [
                "execute \(hook) \(action)", "10-a: word", "\(hook) finished with status=0 in N s",
                action == "freeze"
                    ? "frozen: 1 hook, 0 failed, in N s (cycle ID)"
                    : "thawed: 1 hook, 0 failed, in N s (cycle ID): application-consistent, as far as 10-a tells",
            ]
        }
        let messages = sandbox.messages.map {
            $0.replacing(#/in [0-9]+\.[0-9]{3} s/#, with: "in N s")
                .replacing(#/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/#, with: "ID")
        }
        #expect(messages == expected)
        for line in sandbox.log.split(separator: "\n") {
            #expect(line.firstMatch(of: #/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+05:30: /#) != nil)
        }
    }

    @Test func `It is made for root and its group alone, whatever the caller's umask is`() throws {
        let sandbox = try Sandbox()
        let umask = ["/bin/sh", "-c", "umask 0; exec \"$@\"", "sh"]
        expectSilentSuccess(try sandbox.run(["freeze"], through: umask))
        #expect(Files.mode(of: sandbox.logFile) == 0o100640)
    }

    @Test func `It is appended to, and keeps its mode`() throws {
        let sandbox = try Sandbox()
        try Files.write("before\n", to: sandbox.logFile, mode: 0o600)
        try sandbox.expectFreeze()
        #expect(sandbox.log.hasPrefix("before\n2"))
        #expect(Files.mode(of: sandbox.logFile) == 0o100600)
    }

    @Test func `A log that is rotated away or truncated in the window is gone on with`() throws {
        let sandbox = try Sandbox()
        try sandbox.addTracingHook("10-a")
        try sandbox.expectFreeze()
        unlink(sandbox.logFile)
        try sandbox.expectThaw()
        #expect(sandbox.thawedSummary == "thawed: 1 hook, 0 failed")
        try sandbox.expectFreeze()
        truncate(sandbox.logFile, 0)
        try sandbox.expectThaw()
        #expect(sandbox.log.hasPrefix("2"))
        #expect(sandbox.frozenSummary == nil)
        #expect(sandbox.thawedSummary == "thawed: 1 hook, 0 failed")
    }

    @Test func `The configuration names it, and the command line comes before that`() throws {
        let sandbox = try Sandbox()
        let other = "\(sandbox.path)/other.log"
        try sandbox.configure("log-file = \(other)")
        try sandbox.expectFreeze()
        #expect(sandbox.frozenSummary != nil)
        #expect(!Files.exists(other))
        let options = ["--hook-dir", sandbox.hookDirectory, "--run-dir", sandbox.runDirectory, "--config"]
        let command = [sandbox.program, "thaw"] + options + [sandbox.configuration]
        expectSilentSuccess(try sandbox.runCommand(command))
        #expect(Files.text(of: other).contains("thawed: "))
    }

    /// A log that cannot be used.
    struct BadLog: CustomTestStringConvertible {
        var testDescription: String
        /// Is run in a mount namespace; `logs` is an empty directory for the log.
        var mounts: @Sendable (_ logs: String) -> String = { _ in "true" }
        /// Makes something at the log's path.
        var make: @Sendable (_ path: String) throws -> Void = { _ in }
    }

    static let badLogs = [
        BadLog(testDescription: "its directory is missing", make: { rmdir(String($0.dropLast("/hook.log".count))) }),
        BadLog(
            testDescription: "its directory is a file",
            make: { path in
                let directory = String(path.dropLast("/hook.log".count))
                rmdir(directory)
                try Files.write("precious", to: directory)
            }),
        BadLog(testDescription: "its directory is read-only", mounts: { "mount -t tmpfs -o ro tmpfs \($0)" }),
        BadLog(testDescription: "its filesystem is full", mounts: PrivateMounts.fullFilesystem),
        BadLog(
            testDescription: "its filesystem has no file left",
            mounts: {
                "mount -t tmpfs -o nr_inodes=1 tmpfs \($0)"
            }),
        BadLog(testDescription: "its filesystem fills up", mounts: { "mount -t tmpfs -o size=4k tmpfs \($0)" }),
        BadLog(testDescription: "it is a FIFO", make: { mkfifo($0, 0o600) }),
        BadLog(testDescription: "it is a directory", make: { try Files.makeDirectory($0, mode: 0o700) }),
        BadLog(testDescription: "it is a device", make: { mknod($0, S_IFCHR | 0o600, 1 << 8 | 7) }),
        BadLog(
            testDescription: "it is another user's, and everybody may write it",
            make: { path in
                try Files.write("", to: path, mode: 0o666)
                chown(path, 4711, 4711)
            }),
        BadLog(testDescription: "it is a file of another name", make: { link($0.replacing("logs/hook.log", with: "precious"), $0) }),
        BadLog(testDescription: "it is a link to a file", make: { try Files.link($0, to: "../precious") }),
        BadLog(testDescription: "it is a link to nothing", make: { try Files.link($0, to: "../absent") }),
    ]

    @Test(arguments: badLogs)
    func `A log that cannot be used stops no hook and is written nowhere else`(log: BadLog) throws {
        let sandbox = try Sandbox()
        let logs = "\(sandbox.path)/logs"
        try Files.makeDirectory(logs)
        try Files.write("precious", to: "\(sandbox.path)/precious")
        sandbox.logFile = "\(logs)/hook.log"
        try log.make(sandbox.logFile)
        try sandbox.addTracingHook("10-a", then: "seq 1 3000")
        try sandbox.addTracingHook("20-b")
        try sandbox.expectCycle(inside: log.mounts(logs))
        #expect(sandbox.trace == ["10-a freeze freeze", "20-b freeze freeze", "20-b thaw thaw", "10-a thaw thaw"])
        #expect(Files.text(of: "\(sandbox.path)/precious") == "precious")
        #expect(!Files.exists("\(sandbox.path)/absent"))
    }

    @Test func `A limit on the size of files stops no hook and reaches the hooks unchanged`() throws {
        let sandbox = try Sandbox()
        try sandbox.addTracingHook("10-a", then: "seq 1 300")
        try sandbox.addTracingHook(
            "20-b",
            then: "grep -q '^SigIgn:.*0000000$' /proc/self/status || echo ignored signals >> $TEST_SANDBOX/trace")
        // The limit is 512 bytes, less than the log and the record need.
        let limit = ["/bin/sh", "-c", "ulimit -f 1; exec \"$@\"", "sh"]
        expectSilentSuccess(try sandbox.run(["freeze"], through: limit))
        expectSilentSuccess(try sandbox.run(["thaw"], through: limit))
        #expect(sandbox.trace == ["10-a freeze freeze", "20-b freeze freeze", "20-b thaw thaw", "10-a thaw thaw"])
    }
}
