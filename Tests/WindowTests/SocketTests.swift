// SPDX-License-Identifier: Apache-2.0

import Glibc
import TestSupport
import Testing

/// Faulty messages to the sockets in the run directory end nothing of the window.
@Suite struct SocketTests {
    /// A frozen cycle with a session and a process left running.
    private func frozen() throws -> Sandbox {
        let sandbox = try Sandbox()
        try sandbox.addHoldingHook("10-db", session: "db")
        try sandbox.addTracingHook(
            "20-leftover",
            then:
                "[ $1 = freeze ] || exit 0\n{ sleep 0.2; echo late words; touch $TEST_SANDBOX/said; exec sleep 1000; } &"
        )
        try sandbox.expectSilent("freeze")
        #expect(eventually { Files.exists("\(sandbox.path)/said") })
        return sandbox
    }

    /// The paths of the sockets of guard, holder and drainer.
    private func sockets(_ sandbox: Sandbox) throws -> [String] {
        let names = sandbox.runFiles.filter { name in
            ["guard-", "hold-", "drain-"].contains { name.hasPrefix($0) }
        }
        try #require(names.count == 3, "\(names)")
        return names.map { "\(sandbox.runDirectory)/\($0)" }
    }

    private func expectGoodThaw(_ sandbox: Sandbox) throws {
        try sandbox.expectSilent("thaw")
        #expect(sandbox.verdict == "application-consistent")
        #expect(sandbox.messages.contains("20-leftover (left running): late words"))
        #expect(eventually { sandbox.parts("guard").isEmpty && sandbox.parts("holder").isEmpty })
        for pid in sandbox.processes() where !sandbox.parts("drain-output").contains(pid) { sandbox.destroy(pid) }
        sandbox.expectNothingLeft()
    }

    @Test func `Who connects and says nothing, or goes at once, ends nothing`() throws {
        let sandbox = try frozen()
        var silent: [Connection] = []
        for path in try sockets(sandbox) {
            _ = try Connection(to: path)
            silent.append(try Connection(to: path))
        }
        try expectGoodThaw(sandbox)
        withExtendedLifetime(silent) {}
    }

    /// Bytes that are no message of these sockets.
    struct Words: CustomTestStringConvertible, Sendable {
        var testDescription: String
        var bytes: [UInt8]
        var answer: String
    }

    static let words = [
        Words(testDescription: "a letter", bytes: Array("L".utf8), answer: "no message of fsfreeze-hook"),
        Words(
            testDescription: "an unknown kind", bytes: Array("FSFH".utf8) + [0, 1, 250, 0, 0, 0, 0, 0],
            answer: "unknown kind 250"),
        Words(
            testDescription: "a kind of another version", bytes: Array("FSFH".utf8) + [0, 9, 250, 0, 0, 0, 0, 0],
            answer: "a message of version 9, and this process speaks version 1"),
        Words(
            testDescription: "a wrong length", bytes: Array("FSFH".utf8) + [0, 1, 250, 0, 0, 0, 0, 7, 0x61],
            answer: "wrong length"),
    ]

    @Test(arguments: words)
    func `What is no message is refused in words and ends nothing`(words: Words) throws {
        let sandbox = try frozen()
        for path in try sockets(sandbox) {
            let connection = try Connection(to: path)
            try connection.say(words.bytes)
            let answer = try connection.answer()
            #expect(answer.count > 12 && answer[6] == 5)
            let text = String(decoding: answer.dropFirst(12), as: UTF8.self)
            #expect(text.contains(words.answer), "\(path): \(text)")
        }
        try expectGoodThaw(sandbox)
    }
}
