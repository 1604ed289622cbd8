// SPDX-License-Identifier: Apache-2.0

import Glibc
import TestSupport
import Testing

/// A configuration that cannot be used: hooks run with the defaults, everything else refuses it.
@Suite struct ConfigurationTests {
    /// A wrong text, the place of the fault, and a word of the message.
    struct Wrong: CustomTestStringConvertible {
        var text: String
        var place: String
        var word: String
        var testDescription: String { text }

        init(_ text: String, _ place: String, _ word: String) {
            self.text = text
            self.place = place
            self.word = word
        }
    }

    static let wrongTexts = [
        Wrong("[general]\nnonsense\n", "2:1", "key = value"),
        Wrong("[general]\n\n  unknown-key = 1\n", "3:3", "unknown-key"),
        Wrong("[general]\non-failure = explode\n", "2:14", "continue"),
        Wrong("[general]\nhook-timeout = 30\n", "2:16", "500ms"),
        Wrong("[general]\nhook-timeout = soon\n", "2:16", "500ms"),
        Wrong("[general]\nhook-timeout = -1s\n", "2:16", "500ms"),
        Wrong("[general]\nhook-timeout =\n", "2:15", "500ms"),
        Wrong("[general]\nhook-timeout = 99999999999999999999h\n", "2:16", "500ms"),
        Wrong("[general]\nkill-grace = 1fortnight\n", "2:14", "500ms"),
        Wrong("[general]\nfreeze-timeout=0\n", "2:16", "500ms"),
        Wrong("[general]\nthaw-timeout   =   never\n", "2:20", "500ms"),
        Wrong("[general]\nthaw-order = sideways\n", "2:14", "reverse"),
        Wrong("[general]\nlog-file = relative.log\n", "2:12", "/"),
        Wrong("[general]\njournal = maybe\n", "2:11", "yes"),
        Wrong("[general]\nparallel = yes\n", "2:1", "parallel"),
        Wrong("[general]\nmetrics-file = x.prom\n", "2:16", "/"),
        Wrong("[general]\nhold-limit = long\n", "2:14", "or 0"),
        Wrong("[general]\nhistory-limit = all\n", "2:17", "number"),
        Wrong("[general\non-failure = abort\n", "1:9", "]"),
        Wrong("on-failure = abort\n", "1:1", "[general]"),
        Wrong("# comment\n[other]\n", "2:1", "[general]"),
        Wrong("[hook]\nrequired = yes\n", "1:1", "[general]"),
        Wrong("[hook a]\nrequired = sometimes\n", "2:12", "yes"),
        Wrong("[hook a]\non-failure = abort\n", "2:1", "timeout"),
        Wrong("[general]\n= 3\n", "2:1", "="),
        Wrong("[general]\n\u{1b}[31m = 3\n", "2:1", "\\x1b[31m"),
    ]

    /// A command before the program that hides the machine's journal: a configuration that cannot be used does not.
    private func withoutJournal() throws -> [String] { try PrivateMounts.prefix(PrivateMounts.emptyRun) }

    private func sandbox(_ text: String) throws -> Sandbox {
        let sandbox = try Sandbox()
        try Files.write(text, to: sandbox.configuration)
        try sandbox.addTracingHook("10-a", then: "exit 3")
        try sandbox.addTracingHook("20-b")
        return sandbox
    }

    private func expectDefaults(_ sandbox: Sandbox, _ words: [String]) throws {
        for action in ["freeze", "thaw"] {
            expectSilentSuccess(try sandbox.run([action], through: withoutJournal()))
            let told = try #require(sandbox.messages.first { $0.contains(sandbox.configuration) }, "\(action)")
            for word in words + ["defaults"] { #expect(told.contains(word), "\(action)") }
            unlink(sandbox.logFile)
        }
        #expect(sandbox.trace == ["10-a freeze freeze", "20-b freeze freeze", "20-b thaw thaw", "10-a thaw thaw"])
        let list = try sandbox.run(["list"])
        #expect(list.status == 65)
        #expect(list.stdout == "")
        #expect(list.stderr.count { $0 == "\n" } == 1)
        for word in words { #expect(list.stderr.contains(word)) }
    }

    @Test(arguments: wrongTexts)
    func `A wrong line is named with its place and what is allowed`(wrong: Wrong) throws {
        let sandbox = try sandbox(wrong.text)
        try expectDefaults(sandbox, ["\(sandbox.configuration):\(wrong.place): ", wrong.word])
    }

    @Test func `One wrong line makes the whole file count for nothing`() throws {
        let sandbox = try sandbox("[general]\non-failure = abort\nthaw-order = forward\nhook-timeout = 30\n")
        try expectDefaults(sandbox, [":4:16: "])
    }

    /// A file that cannot be used as a whole.
    struct BadFile: CustomTestStringConvertible {
        var testDescription: String
        var word: String
        var make: @Sendable (_ path: String) throws -> Void
    }

    static let abort = "[general]\non-failure = abort\n"
    static let badFiles = [
        BadFile(testDescription: "a directory", word: "regular file") { path in try Files.makeDirectory(path) },
        BadFile(testDescription: "a FIFO", word: "regular file") { path in mkfifo(path, 0o644) },
        BadFile(testDescription: "a device", word: "regular file") { path in try Files.link(path, to: "/dev/zero") },
        BadFile(testDescription: "a link to itself", word: "cannot be opened") { path in try Files.link(path, to: path)
        },
        BadFile(testDescription: "writable by others", word: "writable by others") { path in
            try Files.write(abort, to: path, mode: 0o666)
        },
        BadFile(testDescription: "writable by a group", word: "writable by group") { path in
            try Files.write(abort, to: path, mode: 0o664)
            chown(path, 0, 4711)
        },
        BadFile(testDescription: "of another user", word: "belongs to user 4711") { path in
            try Files.write(abort, to: path)
            chown(path, 4711, 0)
        },
        BadFile(testDescription: "without end", word: "larger than") { path in
            try Files.write(abort + String(repeating: "#\n", count: 1 << 20), to: path)
        },
        BadFile(testDescription: "no text", word: ":1:1: ") { path in
            try Files.write([0xff, 0xfe, 0, 1, 2, 0x1b, 0x5b, 0x41], to: path.utf8)
        },
    ]

    @Test(arguments: badFiles)
    func `A file that cannot be used as a whole`(file: BadFile) throws {
        let sandbox = try sandbox("")
        unlink(sandbox.configuration)
        try file.make(sandbox.configuration)
        try expectDefaults(sandbox, [file.word])
    }

    @Test func `A user who may not read it gets the defaults`() throws {
        let sandbox = try sandbox(Self.abort)
        chmod(sandbox.configuration, 0o600)
        // Everything of the sandbox belongs to that user, but for the configuration.
        let places = [sandbox.path, sandbox.hookDirectory, "10-a", "20-b"]
        for place in places { chown(place.hasPrefix("/") ? place : "\(sandbox.hookDirectory)/\(place)", 4711, 4711) }
        let program = "\(sandbox.path)/program"
        try Files.write(Files.bytes(of: sandbox.program) ?? [], to: program.utf8, mode: 0o755)
        let setpriv = [
            try Tools.command("setpriv", package: "util-linux"), "--reuid=4711", "--regid=4711", "--clear-groups",
        ]
        let command = try withoutJournal() + setpriv + [program, "freeze"] + sandbox.options
        expectSilentSuccess(try sandbox.runCommand(command))
        #expect(sandbox.messages.contains { $0.contains(sandbox.configuration) && $0.contains("defaults") })
        #expect(sandbox.trace == ["10-a freeze freeze", "20-b freeze freeze"])
    }

    @Test func `A missing file, and one with comments alone, are no failure`() throws {
        for text in [nil, "", "# nothing\n; nothing\n\n[general]\n", "[general]\r\non-failure = continue\r\n"] {
            let sandbox = try sandbox(text ?? "")
            if text == nil { unlink(sandbox.configuration) }
            expectSilentSuccess(try sandbox.run(["freeze"], through: withoutJournal()))
            #expect(!sandbox.log.contains("defaults"))
            #expect(try sandbox.run(["list"]).status == 0)
        }
    }

    @Test func `Comments, blanks and units are read as in qemu-ga.conf and systemd's files`() throws {
        let sandbox = try sandbox(
            "# head\n\n[general]   # end\n  journal=no\n\tthaw-order\t=  forward ; end\n[hook  a]\ntimeout = 1500ms\n")
        try sandbox.addTracingHook("10-a", then: "echo $FSFREEZE_TIMEOUT")
        try sandbox.expectFreeze()
        try sandbox.expectThaw()
        #expect(sandbox.output(of: "10-a") == ["1.500", "1.500"])
        #expect(sandbox.trace.suffix(2) == ["10-a thaw thaw", "20-b thaw thaw"])
    }
}
