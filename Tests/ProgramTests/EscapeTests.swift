// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestSupport
import Testing

/// Files of the state directory that somebody has damaged, or that came in an image: nothing in them reaches a terminal
/// as a command to it.
@Suite struct EscapeTests {
    // ESC c resets a terminal, U+009B begins a sequence in one character, U+202E turns what follows round.
    private static let harm = "\u{1b}c\u{9b}31m\u{202e}\n"

    /// A sandbox whose history, counters and markers hold harmful texts in each of their fields.
    private func sandbox() throws -> Sandbox {
        let sandbox = try Sandbox()
        try sandbox.addHook("10-a", "exit 3")
        try sandbox.expectFreeze()
        let record = Files.text(of: "\(sandbox.stateDirectory)/image")
        try sandbox.expectThaw()
        let history = "\(sandbox.stateDirectory)/history.jsonl"
        var cycle = try #require(
            try JSONSerialization.jsonObject(with: Data(Files.text(of: history).utf8)) as? [String: Any])
        func spoiled(_ value: Any) -> Any {
            switch value {
            case let text as String: text + Self.harm
            case let values as [Any]: values.map(spoiled)
            case let object as [String: Any]: object.mapValues(spoiled)
            default: value
            }
        }
        cycle = cycle.mapValues(spoiled)
        let line = String(decoding: try JSONSerialization.data(withJSONObject: cycle), as: UTF8.self) + "\n"
        try Files.write(line + line, to: history)
        // A record's newline is %0a.
        let harm = Self.harm.replacing("\n", with: "%0a")
        let marker = record.split(separator: "\n").map { line -> String in
            let fields = line.split(separator: "\t", omittingEmptySubsequences: false)
            switch fields[0] {
            case "cycle": return "cycle\t\(fields[1])\(harm)\tother"
            case "start": return String(line.replacing("/10-a", with: "/10-\(harm)"))
            case "end": return "\(line)\(harm)"
            default: return String(line)
            }
        }
        try Files.write(
            marker.map { "\($0)\n" }.joined() + "fault\t\(harm)\n", to: "\(sandbox.stateDirectory)/image")
        return sandbox
    }

    static let commands = [
        ["status"], ["status", "--last", "5"], ["status", "--nagios"], ["status", "--json"],
        ["status", "--last", "5", "--json"], ["history"], ["history", "--json"], ["history", "show"],
        ["history", "show", "--json"],
    ]

    @Test(arguments: commands) func `A command shows it cleaned`(arguments: [String]) throws {
        let sandbox = try sandbox()
        let result = try sandbox.run(arguments)
        let isJSON = arguments.contains("--json")
        #expect(result.stdout.contains(isJSON ? "\\u009b31m" : "\\x1bc"), "\(result)")
        for text in [result.stdout, result.stderr] { #expect(isHarmless(text), "\(text)") }
        if isJSON { _ = try JSONSerialization.jsonObject(with: Data(result.stdout.utf8)) }
        if arguments.first == "status" && !arguments.contains("--nagios") {
            #expect(result.stdout.contains("image"), "the marker is shown, too")
        }
        guard !isJSON, !arguments.contains("--nagios") else { return }
        let terminal = try Pseudoterminal(columns: 80)
        let shown = try sandbox.run(arguments, on: terminal, environment: ["TERM": "xterm", "LANG": "C.UTF-8"])
        // The program's own styles are SGR sequences; the terminal makes CR LF of a newline.
        let plain = shown.text.replacing(/\u{1b}\[[0-9;]*m/, with: "").replacing("\r\n", with: "\n")
        #expect(isHarmless(plain), "\(plain)")
    }

    @Test func `A name that several cycles share is told cleaned`() throws {
        let sandbox = try sandbox()
        let history = try #require(
            Files.text(of: "\(sandbox.stateDirectory)/history.jsonl").split(separator: "\n").first)
        let other = history.replacing("\"id\":\"", with: "\"id\":\"x\\u001b")
        try Files.write(
            "\(other)\n\(other.replacing("x\\u001b", with: "x\\u001b2"))\n",
            to: "\(sandbox.stateDirectory)/history.jsonl")
        let result = try sandbox.run(["history", "show", "x"])
        #expect(result.status == 1 && result.stderr.contains("several ids"))
        #expect(isHarmless(result.stderr), "\(result.stderr)")
    }

    private func isHarmless(_ text: String) -> Bool {
        text.unicodeScalars.allSatisfy { scalar in
            switch scalar.value {
            case 0x09, 0x0a: true
            case 0..<0x20, 0x7f..<0xa0, 0x202a...0x202e: false
            default: true
            }
        }
    }
}
