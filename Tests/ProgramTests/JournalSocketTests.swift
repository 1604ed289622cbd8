// SPDX-License-Identifier: Apache-2.0

import Glibc
import TestSupport
import Testing

/// The journal's socket in all its states, in a /run of the test's own.
@Suite struct JournalSocketTests {
    private let sandbox: Sandbox

    init() throws {
        sandbox = try Sandbox()
        try Files.write("", to: sandbox.configuration)
    }

    /// A namespace whose journal socket is handled by these lines of Python; they call `ready()` when it is there.
    private func journal(_ python: String) throws -> [String] {
        let interpreter = try Tools.command("python3", package: "python3")
        let helper = "\(sandbox.path)/journal.py"
        try Files.write(
            """
            import os, socket, time
            path = "/run/systemd/journal/socket"
            os.makedirs(os.path.dirname(path))
            journal = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            journal.bind(path)
            def ready():
                open("/run/ready", "w").close()
            \(python)
            """, to: helper)
        return try PrivateMounts.prefix(
            "\(PrivateMounts.emptyRun); \(interpreter) \(helper) & while ! [ -e /run/ready ]; do sleep 0.01; done")
    }

    /// The entries that the journal got.
    private func entries() -> [String] {
        Files.text(of: "\(sandbox.path)/entries").split(separator: "\u{1e}").map(String.init)
    }

    private func collecting() throws -> [String] {
        let collect = """
            ready()
            with open("\(sandbox.path)/entries", "ab", 0) as entries:
                while True:
                    entries.write(journal.recv(1 << 20) + b"\\x1e")
            """
        return try journal(collect)
    }

    @Test func `A journal that has stopped reading delays nothing`() throws {
        let names = (10..<40).map { "\($0)-hook" }
        for name in names { try sandbox.addTracingHook(name, then: "seq 1 100") }
        let freeze = try sandbox.run(["freeze"], through: journal("ready(); time.sleep(1000)"), within: 30)
        expectSilentSuccess(freeze)
        #expect(freeze.seconds < 5)
        #expect(sandbox.trace == names.map { "\($0) freeze freeze" })
        #expect(sandbox.output(of: "39-hook").count == 100)
        #expect(sandbox.frozenSummary == "frozen: 30 hooks, 0 failed")
    }

    @Test(arguments: ["journal.close(); ready()", "journal.close(); os.unlink(path); ready()"])
    func `A journal that is gone is no failure`(state: String) throws {
        try sandbox.addTracingHook("10-a")
        expectSilentSuccess(try sandbox.run(["freeze"], through: journal(state)))
        #expect(sandbox.trace == ["10-a freeze freeze"])
        #expect(sandbox.frozenSummary == "frozen: 1 hook, 0 failed")
    }

    @Test func `A journal that reads late loses nothing`() throws {
        try sandbox.addTracingHook("10-a", then: "seq 1 200")
        expectSilentSuccess(try sandbox.run(["freeze"], through: collecting()))
        #expect(eventually { entries().contains { $0.contains("MESSAGE=frozen: 1 hook, 0 failed") } })
        #expect(entries().count { $0.contains("MESSAGE=10-a: ") } == 200)
    }

    @Test func `An unusable log is told to the journal, which then has everything`() throws {
        try sandbox.addHook("10-a", "echo word; exit 3")
        sandbox.logFile = "\(sandbox.path)/absent/hook.log"
        expectSilentSuccess(try sandbox.run(["freeze"], through: collecting()))
        #expect(eventually { entries().contains { $0.contains("MESSAGE=frozen: 1 hook, 1 failed") } })
        #expect(entries().contains { $0.contains(sandbox.logFile) && $0.contains("PRIORITY=4\n") })
        #expect(entries().contains { $0.contains("MESSAGE=10-a: word\n") })
        #expect(entries().contains { $0.contains("FSFREEZE_STATUS=3\n") && $0.contains("PRIORITY=3\n") })
    }

    @Test func `A log of another user is not written, and told to the journal once`() throws {
        try sandbox.addHook("10-a", "echo word")
        try Files.write("", to: sandbox.logFile, mode: 0o666)
        chown(sandbox.logFile, 4711, 4711)
        expectSilentSuccess(try sandbox.run(["freeze"], through: collecting()))
        #expect(eventually { entries().contains { $0.contains("MESSAGE=frozen: 1 hook, 0 failed") } })
        #expect(sandbox.log == "")
        let told = entries().filter { $0.contains("\(sandbox.logFile) cannot be used: it belongs to user 4711") }
        #expect(told.count == 1)
        #expect(entries().contains { $0.contains("MESSAGE=10-a: word\n") })
    }

    @Test func `A log that fills up is told to the journal, which then has everything`() throws {
        let logs = "\(sandbox.path)/logs"
        try Files.makeDirectory(logs)
        sandbox.logFile = "\(logs)/hook.log"
        try sandbox.addHook("10-a", "seq 1000 2000")
        let small = try PrivateMounts.prefix("mount -t tmpfs -o size=4k tmpfs \(logs)")
        expectSilentSuccess(try sandbox.run(["freeze"], through: collecting() + small))
        #expect(eventually { entries().contains { $0.contains("MESSAGE=frozen: 1 hook, 0 failed") } })
        #expect(entries().count { $0.contains(sandbox.logFile) && $0.contains("PRIORITY=4\n") } == 1)
        #expect(entries().count { $0.contains("MESSAGE=10-a: ") } > 900)
    }

    @Test func `A bad configuration is told to the journal`() throws {
        try Files.write("[general]\njournal = perhaps\n", to: sandbox.configuration)
        expectSilentSuccess(try sandbox.run(["freeze"], through: collecting()))
        let place = "MESSAGE=\(sandbox.configuration):2:11: "
        #expect(eventually { entries().contains { $0.contains(place) && $0.contains("PRIORITY=4\n") } })
    }

    @Test func `Journal = no keeps everything out of it`() throws {
        try sandbox.configure("")
        try sandbox.addHook("10-a", "exit 3")
        expectSilentSuccess(try sandbox.run(["freeze"], through: collecting()))
        #expect(entries() == [])
    }

    @Test func `Output cannot forge a field`() throws {
        try sandbox.addHook(Array("10\nPRIORITY=0".utf8), "#!/bin/sh\nprintf 'a\\nPRIORITY=0\\n\\000'\n".utf8)
        expectSilentSuccess(try sandbox.run(["freeze"], through: collecting()))
        #expect(eventually { entries().contains { $0.contains("MESSAGE=frozen: 1 hook") } })
        #expect(!entries().contains { $0.split(separator: "\n").contains("PRIORITY=0") })
    }
}
