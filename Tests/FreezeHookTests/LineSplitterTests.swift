// SPDX-License-Identifier: Apache-2.0

import TestSupport
import Testing

@testable import FreezeHook
@testable import FreezeHookAdmin
@testable import FreezeHookBase
@testable import FreezeHookRecipes

/// Output cut into lines.
@Suite struct LineSplitterTests {
    /// The lines of the pieces one after the other, with an unfinished last one.
    private func lines(_ pieces: [[UInt8]]) -> [String] {
        var splitter = LineSplitter()
        let lines = pieces.flatMap { splitter.lines(completedBy: $0[...]) }
        return lines + [splitter.unfinishedLine()].compactMap { $0 }
    }

    @Test(arguments: [
        ("", []), ("\n", [""]), ("a", ["a"]), ("a\n", ["a"]), ("a\nb", ["a", "b"]), ("\n\na\n\n", ["", "", "a", ""]),
        ("a\r\nb\r\n", ["a", "b"]), ("a\rb\n", ["a\\x0db"]), ("a\r\r\n", ["a\\x0d"]), ("a\tb\n", ["a\tb"]),
        ("\u{1b}[31mred\n", ["\\x1b[31mred"]), ("a\0b\n", ["a\\x00b"]), ("é\n€", ["é", "€"]),
    ])
    func `Lines are cut at newlines and cleaned`(text: String, expected: [String]) {
        #expect(lines([bytes(text)]) == expected)
    }

    @Test func `An open line is seen and stays`() {
        var splitter = LineSplitter()
        #expect(splitter.openLine == "")
        #expect(splitter.lines(completedBy: bytes("one\ntwo> ")[...]) == ["one"])
        #expect(splitter.openLine == "two> ")
        #expect(splitter.lines(completedBy: bytes("three\n")[...]) == ["two> three"])
        #expect(splitter.openLine == "")
        #expect(splitter.unfinishedLine() == nil)
    }

    @Test func `A character that comes in two pieces is one`() {
        #expect(lines([[0x61, 0xe2], [0x82], [0xac, 0x0a]]) == ["a€"])
    }

    @Test(arguments: [
        (4095, [4095]), (4096, [4096]), (4097, [4096, 1]), (8192, [4096, 4096]), (10_000, [4096, 4096, 1808]),
    ])
    func `A line that is too long is broken up`(length: Int, expected: [Int]) {
        let line = [UInt8](repeating: 0x78, count: length)
        #expect(lines([line + bytes("\nnext\n")]).map(\.count) == expected + [4])
        #expect(lines([line]).map(\.count) == expected)
    }

    @Test(arguments: [4095, 4096, 4097, 8192])
    func `A long line is broken up in the same way wherever a read has ended`(length: Int) {
        let input = [UInt8](repeating: 0x78, count: length) + bytes("\nnext\n")
        for cut in [1, 4095, 4096, length, length + 1] where cut <= input.count {
            let pieces = lines([Array(input[..<cut]), Array(input[cut...])])
            #expect(pieces.map(\.count) == lines([input]).map(\.count), "cut at \(cut)")
        }
    }

    @Test func `Any pieces give the lines of the whole`() {
        var random = SeededRandom(seed: 3)
        for _ in 0..<300 {
            let pool: [UInt8] = [0x0a, 0x0d, 0x41, 0xc3, 0xa9, 0x1b]
            let input = (0..<200).map { _ in pool.randomElement(using: &random) ?? 0 }
            var pieces: [[UInt8]] = []
            var rest = input[...]
            while !rest.isEmpty {
                pieces.append(Array(rest.prefix(Int.random(in: 1...20, using: &random))))
                rest = rest.dropFirst(pieces[pieces.count - 1].count)
            }
            #expect(lines(pieces) == lines([input]))
        }
    }
}
