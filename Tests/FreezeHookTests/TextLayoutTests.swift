// SPDX-License-Identifier: Apache-2.0

import TestSupport
import Testing

@testable import FreezeHook
@testable import FreezeHookAdmin
@testable import FreezeHookBase
@testable import FreezeHookRecipes

/// Widths, wrapping and tables.
@Suite struct TextLayoutTests {
    @Test(arguments: [
        ("", 0), ("abc", 3), ("äöü", 3), ("e\u{301}", 1), ("日本語", 6), ("ｆｕｌｌ", 8), ("한국", 4), ("👍", 2),
        ("👩‍👩‍👧", 6), ("☎\u{fe0f}", 2), ("a\u{200b}b", 2), ("█─▓", 3), ("…", 1), ("\u{1100}\u{1161}", 2),
    ])
    func `Columns of a text`(text: String, columns: Int) {
        #expect(TextWidth.of(text) == columns)
    }

    @Test func `A cut text has its width and says that it was cut`() {
        #expect(TextWidth.cut("mariadb", to: 7, ellipsis: "~") == "mariadb")
        #expect(TextWidth.cut("mariadb", to: 4, ellipsis: "~") == "mar~")
        #expect(TextWidth.cut("mariadb", to: 1, ellipsis: "~") == "~")
        #expect(TextWidth.cut("mariadb", to: 0, ellipsis: "~") == "")
        #expect(TextWidth.cut("日本語", to: 4, ellipsis: "…") == "日…")
        #expect(TextWidth.padded("日本", to: 6) == "日本  ")
        #expect(TextWidth.padded("abc", to: 2) == "abc")
    }

    @Test func `Lines break between words, and words that are too long break too`() {
        #expect(TextWrap.lines(of: "one two three", columns: nil) == ["one two three"])
        #expect(TextWrap.lines(of: "one two three", columns: 7) == ["one two", "three"])
        #expect(TextWrap.lines(of: "one two three", columns: 7, indent: 2) == ["one two", "  three"])
        #expect(TextWrap.lines(of: "abcdefghij", columns: 4, indent: 1) == ["abcd", " efg", " hij"])
        #expect(TextWrap.lines(of: "", columns: 4) == [""])
        #expect(TextWrap.lines(of: "  - one two", columns: 8, indent: 4) == ["  - one", "    two"])
        #expect(TextWrap.lines(of: "日本語", columns: 1) == ["日", "本", "語"])
    }

    @Test func `No line is wider than its limit and nothing is lost`() {
        var random = SeededRandom(seed: 7)
        for _ in 0..<500 {
            let words = (0..<Int.random(in: 1...12, using: &random)).map { _ in
                String(
                    (0..<Int.random(in: 1...30, using: &random)).map { _ in
                        "aä日\u{301}-".randomElement(using: &random) ?? "a"
                    })
            }
            let columns = Int.random(in: 2...60, using: &random)
            let lines = TextWrap.lines(
                of: words.joined(separator: " "), columns: columns, indent: Int.random(in: 0...8, using: &random))
            #expect(lines.allSatisfy { TextWidth.of($0) <= columns })
            #expect(lines.joined().filter { $0 != " " } == words.joined())
        }
    }

    private static let table = TextTable(
        columns: [.init("id"), .init("seconds", .right), .init("verdict"), .init("failed", minimumWidth: 4)],
        rows: [
            [.init("3f2a91c0"), .init("0.210"), .init("application-consistent", short: "application"), .init("")],
            [
                .init("9c5895fa"), .init("12.5"), .init("crash-consistent", short: "crash"),
                .init("10-mariadb, 20-redis"),
            ],
        ],
        reductions: [.drop(1), .shorten(2), .drop(0)])

    @Test func `A table with room shows everything`() {
        #expect(
            Self.table.lines(for: Terminal(columns: nil)) == [
                "id        seconds  verdict                 failed",
                "3f2a91c0    0.210  application-consistent",
                "9c5895fa     12.5  crash-consistent        10-mariadb, 20-redis",
            ])
    }

    @Test func `A table without room gives up columns in order, then cuts`() {
        #expect(
            Self.table.lines(for: Terminal(columns: 40)) == [
                "id        verdict                 failed",
                "3f2a91c0  application-consistent",
                "9c5895fa  crash-consistent        10-ma~",
            ])
        #expect(
            Self.table.lines(for: Terminal(columns: 30)) == [
                "id        verdict      failed", "3f2a91c0  application", "9c5895fa  crash        10-mar~",
            ])
        #expect(
            Self.table.lines(for: Terminal(columns: 20)) == [
                "verdict      failed", "application", "crash        10-mar~",
            ])
        for columns in 1...100 {
            let lines = Self.table.lines(for: Terminal(columns: columns))
            #expect(lines.count == 3 && lines.allSatisfy { TextWidth.of($0) <= columns }, "\(columns) columns")
        }
    }

    @Test func `Colours change no width, and a tab in a cell is shown as one`() {
        let table = TextTable(
            columns: [.init("a"), .init("b")], rows: [[.init("x\ty", .red), .init("z")]])
        #expect(table.lines(for: Terminal(columns: 80)) == ["a       b", "x\\x09y  z"])
        #expect(
            table.lines(for: Terminal(columns: 80, usesColour: true)) == [
                "\u{1b}[1ma\u{1b}[0m       \u{1b}[1mb\u{1b}[0m", "\u{1b}[31mx\\x09y\u{1b}[0m  z",
            ])
    }
}
