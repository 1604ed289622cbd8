// SPDX-License-Identifier: Apache-2.0

import TestSupport
import Testing

/// The output of hooks in the log.
@Suite struct OutputTests {
    @Test func `Each line stands under the hook's name, standard error too`() throws {
        let sandbox = try Sandbox()
        try sandbox.addHook("10-talk", "echo one; echo two >&2; echo; printf '\\ttab and no newline'")
        try sandbox.expectFreeze()
        #expect(sandbox.output(of: "10-talk") == ["one", "two", "", "\ttab and no newline"])
    }

    /// Printed bytes, in the notation of printf(1), and the lines that they become.
    static let bytes: [(printed: String, lines: [String])] = [
        ("a\\000b\\n", ["a\\x00b"]),
        ("\\000\\000", ["\\x00\\x00"]),
        ("\\033[31mred\\033[0m\\n", ["\\x1b[31mred\\x1b[0m"]),
        ("\\033]0;title\\007\\n", ["\\x1b]0;title\\x07"]),
        ("back\\010\\177\\n", ["back\\x08\\x7f"]),
        ("over\\rwritten\\n", ["over\\x0dwritten"]),
        ("crlf\\r\\n", ["crlf"]),
        ("bad \\377\\376 utf8\\n", ["bad \\xff\\xfe utf8"]),
        ("cut short \\303\\n", ["cut short \\xc3"]),
        ("overlong \\300\\257\\n", ["overlong \\xc0\\xaf"]),
        ("surrogate \\355\\240\\200\\n", ["surrogate \\xed\\xa0\\x80"]),
        ("C1 \\302\\233 31m\\n", ["C1 \\xc2\\x9b 31m"]),
        ("gr\\303\\274n \\360\\237\\247\\212\\n", ["grün 🧊"]),
        ("backslash \\\\x41\\n", ["backslash \\x41"]),
        ("%%s %%n 100%%\\n", ["%s %n 100%"]),
        ("\\n\\nx", ["", "", "x"]),
        ("line\\342\\200\\250separator\\n", ["line\\xe2\\x80\\xa8separator"]),
    ]

    @Test(arguments: bytes)
    func `No byte speaks to a terminal or breaks the log`(printed: String, lines: [String]) throws {
        let sandbox = try Sandbox()
        try sandbox.addHook("10-bytes", "printf '\(printed)'")
        try sandbox.expectFreeze()
        #expect(sandbox.output(of: "10-bytes") == lines)
        let log = try #require(Files.bytes(of: sandbox.logFile))
        #expect(String(validating: log, as: UTF8.self) != nil)
        #expect(!log.contains { $0 < 0x20 && $0 != 0x0a && $0 != 0x09 || $0 == 0x7f })
    }

    @Test func `A hook cannot forge a line of the log`() throws {
        let sandbox = try Sandbox()
        let forged = "2026-11-23T02:19:47.120+01:00: frozen: 9 hooks, 0 failed, in 0.001 s (cycle x)"
        try sandbox.addHook("10-forger", "echo '\(forged)'")
        try sandbox.expectFreeze()
        #expect(sandbox.output(of: "10-forger") == [forged])
        #expect(sandbox.messages.count { $0.hasPrefix("frozen: ") } == 1)
    }

    @Test func `A line without an end is broken up`() throws {
        let sandbox = try Sandbox()
        try sandbox.addHook("10-long", "head -c 10000 /dev/zero | tr '\\0' x")
        try sandbox.expectFreeze()
        #expect(sandbox.output(of: "10-long").map(\.count) == [4096, 4096, 1808])
    }

    /// The numbers in the line on dropped output: dropped, head, tail.
    private func dropped(_ sandbox: Sandbox, _ name: String) throws -> [Int] {
        let line = try #require(sandbox.output(of: name).first { $0.hasSuffix("bytes are kept]") })
        return line.split { !$0.isNumber }.compactMap { Int($0) }
    }

    @Test func `Of 1 GB the head and the tail are kept, and the sizes are said`() throws {
        let sandbox = try Sandbox()
        // The hook reads the peak memory of its caller, which must not have grown with the output.
        let look = "sed -n 's/VmHWM: *\\t*//p' /proc/$PPID/status >> $TEST_SANDBOX/memory"
        try sandbox.addHook("10-quiet", look)
        try sandbox.addHook("20-flood", "echo first line\nyes | head -c 1073741824\necho last line\n\(look)")
        expectSilentSuccess(try sandbox.run(["freeze"], within: 60))

        let output = sandbox.output(of: "20-flood")
        #expect(output.first == "first line")
        #expect(output.last == "last line")
        let numbers = try dropped(sandbox, "20-flood")
        #expect(numbers.count == 3)
        #expect(numbers.reduce(0, +) == 1_073_741_824 + "first line\nlast line\n".count)
        #expect(sandbox.log.utf8.count < 1 << 20)
        #expect(try Files.totalSize(in: sandbox.runDirectory) < 1 << 16)
        #expect(sandbox.ending(of: "20-flood")?.contains("status=0") == true)

        let memory = Files.text(of: "\(sandbox.path)/memory").split(separator: "\n").compactMap { line in
            line.split(separator: " ").first.flatMap { Int($0) }
        }
        #expect(memory.count == 2)
        #expect(memory[1] - memory[0] < 4096, "kB: \(memory)")
    }

    @Test func `Of many short lines the first and the last 500 are kept`() throws {
        let sandbox = try Sandbox()
        try sandbox.addHook("10-lines", "seq 1 5000")
        try sandbox.expectFreeze()
        let output = sandbox.output(of: "10-lines")
        #expect(output.count == 1001)
        #expect(output.prefix(500) == (1...500).map(String.init)[...])
        #expect(output.suffix(500) == (4501...5000).map(String.init)[...])
        // 1892 and 2500 bytes of the 23893.
        #expect(try dropped(sandbox, "10-lines") == [19501, 1892, 2500])
    }

    @Test func `Output up to the bound is kept whole`() throws {
        let sandbox = try Sandbox()
        try sandbox.addHook("10-lines", "seq 1 1000")
        try sandbox.expectFreeze()
        #expect(sandbox.output(of: "10-lines") == (1...1000).map(String.init))
    }

    @Test func `The output of each hook stands between its start and its end`() throws {
        let sandbox = try Sandbox()
        try sandbox.configure("hold-limit = 0")
        try sandbox.addHook("10-a", "echo a1; sleep 0.05; echo a2")
        try sandbox.addHook("20-silent", "sleep 0.05")
        try sandbox.addHook("30-b", "echo b1")
        try sandbox.expectFreeze()
        let order = sandbox.messages.map { $0.split(separator: " ").prefix(2).joined(separator: " ") }
        let directory = sandbox.hookDirectory
        #expect(
            order.dropLast() == [
                "execute \(directory)/10-a", "10-a: a1", "10-a: a2", "\(directory)/10-a finished",
                "execute \(directory)/20-silent", "\(directory)/20-silent finished",
                "execute \(directory)/30-b", "30-b: b1", "\(directory)/30-b finished",
            ])
    }
}
