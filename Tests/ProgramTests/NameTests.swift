// SPDX-License-Identifier: Apache-2.0

import TestSupport
import Testing

/// File names: which are hooks, in which order they run, and how they are shown.
@Suite struct NameTests {
    /// Names of any bytes, in byte order, and how the log shows them.
    static let names: [(bytes: [UInt8], shown: String)] = [
        (Array("\tstarts with a tab".utf8), "\tstarts with a tab"),
        (Array("\nforged: line".utf8), "\\x0aforged: line"),
        (Array("\u{1b}[31mred".utf8), "\\x1b[31mred"),
        (Array(" leading space".utf8), " leading space"),
        (Array("#comment".utf8), "#comment"),
        (Array("$(touch x)".utf8), "$(touch x)"),
        (Array("%s%n%d%09%0a".utf8), "%s%n%d%09%0a"),
        (Array("'quote\"".utf8), "'quote\""),
        (Array("--help".utf8), "--help"),
        (Array("-rf".utf8), "-rf"),
        (Array("10 with spaces ".utf8), "10 with spaces "),
        (Array("10-plain".utf8), "10-plain"),
        (Array("2-byte order, not by number".utf8), "2-byte order, not by number"),
        (Array("A".utf8), "A"),
        (Array("[hook]=;".utf8), "[hook]=;"),
        (Array("\\x0a".utf8), "\\x0a"),
        (Array("a".utf8), "a"),
        (Array("line\nbreak".utf8), "line\\x0abreak"),
        (Array(repeating: UInt8(ascii: "n"), count: 255), String(repeating: "n", count: 255)),
        (Array("ü".utf8), "ü"),
        ([0xff, 0xfe], "\\xff\\xfe"),
        ([0xff, 0xfe, 0x0a], "\\xff\\xfe\\x0a"),
    ]

    @Test func `Names may hold any byte, are run in byte order and cannot forge a line of the log`() throws {
        let sandbox = try Sandbox()
        try sandbox.configure("hold-limit = 0")
        for (index, name) in Self.names.enumerated().shuffled() {
            try sandbox.addHook(name.bytes, "#!/bin/sh\necho \(index) $1 >> \(sandbox.path)/trace\necho called\n".utf8)
        }
        try sandbox.expectFreeze()
        try sandbox.expectThaw()
        let indices = Self.names.indices
        #expect(sandbox.trace == indices.map { "\($0) freeze" } + indices.reversed().map { "\($0) thaw" })
        for name in Self.names {
            #expect(sandbox.messages.contains("execute \(sandbox.hookDirectory)/\(name.shown) freeze"))
            #expect(sandbox.messages.count { $0 == "\(name.shown): called" } == 2)
            #expect(sandbox.ending(of: name.shown, "thaw")?.contains("status=0") == true)
        }
        // Each call has three lines, and there are two summaries: no name has made a line of its own.
        #expect(sandbox.messages.count == Self.names.count * 6 + 2)
        let log = try #require(Files.bytes(of: sandbox.logFile))
        #expect(String(validating: log, as: UTF8.self) != nil)
        #expect(!log.contains(0x1b))
    }

    @Test func `A record survives any name when the program is killed`() throws {
        let sandbox = try Sandbox()
        try sandbox.configure("hold-limit = 0")
        for (index, name) in Self.names.enumerated() {
            let last = index == Self.names.count - 1 ? "[ $1 = thaw ] || kill -KILL $PPID" : ""
            let script = "#!/bin/sh\necho \(index) $1 $FSFREEZE_REASON >> \(sandbox.path)/trace\n\(last)\n"
            try sandbox.addHook(name.bytes, script.utf8)
        }
        #expect(try sandbox.freeze().signal == 9)
        try sandbox.expectThaw()
        let thaws = sandbox.trace.dropFirst(Self.names.count)
        #expect(thaws == Self.names.indices.reversed().map { "\($0) thaw thaw" }[...])
    }

    static let ignored = [
        ".hidden", "10-x~", "10-x.bak", "10-x.orig", "10-x.rpmnew", "10-x.rpmorig", "10-x.rpmsave", "10-x.sample",
        "10-x.dpkg-old", "10-x.dpkg-new", "10-x.dpkg-tmp", "10-x.dpkg-dist", "10-x.dpkg-bak", "10-x.dpkg-backup",
        "10-x.dpkg-remove", "~", ".bak",
    ]

    @Test func `The stock script's ignored names are passed over without a word`() throws {
        let sandbox = try Sandbox()
        for name in Self.ignored { try sandbox.addTracingHook(name) }
        try sandbox.expectFreeze()
        try sandbox.expectThaw()
        #expect(sandbox.trace == [])
        #expect(sandbox.frozenSummary == "frozen: 0 hooks, 0 failed")
        #expect(sandbox.messages.count == 2)
        let list = try sandbox.run(["list"])
        for name in Self.ignored.dropLast(2) { #expect(!list.stdout.contains(name)) }
    }

    @Test func `Names that are only like the ignored ones run`() throws {
        let sandbox = try Sandbox()
        let names = [
            "10-x.BAK", "10-x.bak1", "10-x.dpkg-old.foo", "10-x.dpkg-other", "10-x.rpm", "10-x.rpmnew.", "10-x.samples",
            "10-x.sh", "10-x.swp", "10-xbak", "10-x~y", "README", "bak", "sample", "x.disabled",
        ]
        for name in names.shuffled() { try sandbox.addTracingHook(name) }
        try sandbox.expectFreeze()
        #expect(sandbox.trace == names.map { "\($0) freeze freeze" })
    }

    @Test func `The thaw runs in reverse order unless the configuration says forward`() throws {
        let sandbox = try Sandbox()
        for name in ["9-nine", "10-ten", "b", "B", "a.sh"].shuffled() { try sandbox.addTracingHook(name) }
        let order = ["10-ten", "9-nine", "B", "a.sh", "b"]
        try sandbox.expectFreeze()
        try sandbox.expectThaw()
        #expect(sandbox.trace == order.map { "\($0) freeze freeze" } + order.reversed().map { "\($0) thaw thaw" })

        sandbox.clearTrace()
        try sandbox.configure("thaw-order = forward")
        try sandbox.expectFreeze()
        try sandbox.expectThaw()
        #expect(sandbox.trace == order.map { "\($0) freeze freeze" } + order.map { "\($0) thaw thaw" })
        sandbox.clearTrace()
        try sandbox.expectThaw()
        #expect(sandbox.trace == order.map { "\($0) thaw thaw" })
    }
}
