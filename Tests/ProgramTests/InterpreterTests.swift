// SPDX-License-Identifier: Apache-2.0

import TestSupport
import Testing

/// Files that the kernel does not execute as they are.
@Suite struct InterpreterTests {
    @Test func `A file without #! is run by sh`() throws {
        let sandbox = try Sandbox()
        try sandbox.addHook(Array("10-plain".utf8), "echo \"plain ${0##*/} $# $1\"\nexit 3\n".utf8)
        try sandbox.expectFreeze()
        #expect(sandbox.output(of: "10-plain") == ["plain 10-plain 1 freeze"])
        #expect(sandbox.ending(of: "10-plain")?.contains("finished with status=3 in ") == true)
        try sandbox.expectThaw()
        #expect(sandbox.output(of: "10-plain").last == "plain 10-plain 1 thaw")
    }

    @Test func `A file without #! whose name begins with a dash is no option of sh`() throws {
        let sandbox = try Sandbox()
        try sandbox.addHook(Array("-c".utf8), "echo here $1\n".utf8)
        try sandbox.expectFreeze()
        #expect(sandbox.output(of: "-c") == ["here freeze"])
    }

    /// The first line of a hook, its status, and its line in the log.
    static let heads: [(head: String, status: Int, words: String)] = [
        ("#!/bin/sh\r\nexit 0\r\n", 127, "carriage return"),
        ("#!/usr/bin/env sh\r\nexit 0\r\n", 127, "env"),
        ("#!/nonexistent/interpreter\n", 127, "/nonexistent/interpreter"),
        ("#!/etc/passwd\n", 126, "ermission denied"),
        ("#!/tmp\n", 126, "ermission denied"),
    ]

    @Test(arguments: heads)
    func `An interpreter that cannot be executed is a failure that is explained`(
        head: String, status: Int, words: String
    ) throws {
        let sandbox = try Sandbox()
        try sandbox.addHook(Array("10-broken".utf8), head.utf8)
        try sandbox.addTracingHook("20-next")
        try sandbox.expectFreeze()
        let ending = try #require(sandbox.ending(of: "10-broken"))
        #expect(ending.contains("finished with status=\(status) in "))
        #expect(sandbox.log.contains(words))
        #expect(sandbox.trace == ["20-next freeze freeze"])
        #expect(sandbox.frozenSummary == "frozen: 2 hooks, 1 failed")
        try sandbox.expectThaw()
    }

    @Test func `A carriage return is named on the standard error of a freeze that it fails`() throws {
        let sandbox = try Sandbox()
        try sandbox.configure("on-failure = abort")
        try sandbox.addHook(Array("10-windows".utf8), "#!/bin/sh\r\nexit 0\r\n".utf8)
        let result = try sandbox.freeze()
        #expect(result.status == 1)
        #expect(result.stderr.contains("10-windows"))
        #expect(result.stderr.contains("carriage return"))
    }

    @Test func `A damaged binary fails and delays nothing`() throws {
        let sandbox = try Sandbox()
        let damaged = Array("\u{7f}ELF".utf8) + [2, 1, 1, 0] + (0..<200).map { UInt8($0) }
        try sandbox.addHook(Array("10-binary".utf8), damaged)
        try sandbox.addTracingHook("20-next")
        try sandbox.expectFreeze()
        #expect(sandbox.ending(of: "10-binary")?.contains("finished with status=0 ") == false)
        #expect(sandbox.trace == ["20-next freeze freeze"])
    }

    @Test func `A hook may be a link to a program elsewhere`() throws {
        let sandbox = try Sandbox()
        try Files.write(sandbox.tracing("echo \"$0\""), to: "\(sandbox.path)/recipe", mode: 0o755)
        try sandbox.link("10-link", to: "../recipe")
        try sandbox.expectFreeze()
        #expect(sandbox.trace == ["10-link freeze freeze"])
        #expect(sandbox.output(of: "10-link") == ["\(sandbox.hookDirectory)/10-link"])
    }
}
