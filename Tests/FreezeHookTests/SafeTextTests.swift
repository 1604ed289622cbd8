// SPDX-License-Identifier: Apache-2.0

import SystemPackage
import TestSupport
import Testing

@testable import FreezeHook
@testable import FreezeHookAdmin
@testable import FreezeHookBase
@testable import FreezeHookRecipes

/// Text that can neither forge a log line nor speak to a terminal.
@Suite struct SafeTextTests {
    /// `\xNN` for each byte.
    private static func escaped(_ bytes: some Sequence<UInt8>) -> String {
        bytes.map { "\\x" + String(UInt16($0) + 0x100, radix: 16).dropFirst() }.joined()
    }

    @Test func `Every control byte but the tab is escaped`() {
        for byte in Array(0x00...0x1f) + [0x7f] as [UInt8] where byte != 0x09 {
            #expect(SafeText.clean([0x61, byte, 0x62]) == "a\(Self.escaped([byte]))b")
        }
        #expect(SafeText.clean(bytes("a\tb")) == "a\tb")
    }

    @Test func `Printable ASCII stays, a backslash too`() {
        let printable = (0x20...0x7e).map { UInt8($0) }
        #expect(Array(SafeText.clean(printable).utf8) == printable)
        #expect(SafeText.clean(bytes("\\x0a")) == "\\x0a")
    }

    @Test func `C1 control characters are escaped byte by byte`() {
        for low in UInt8(0x80)...0x9f {
            #expect(SafeText.clean([0x61, 0xc2, low, 0x62]) == "a\(Self.escaped([0xc2, low]))b")
        }
        #expect(SafeText.clean([0xc2, 0xa0]) == "\u{a0}")
    }

    @Test func `A byte that is no UTF-8 by itself is escaped`() {
        for byte in UInt8(0x80)...0xff {
            #expect(SafeText.clean([0x61, byte, 0x62]) == "a\(Self.escaped([byte]))b")
            #expect(SafeText.clean([byte]) == Self.escaped([byte]))
        }
    }

    static let invalid: [[UInt8]] = [
        // Truncated sequences of each length.
        [0xc3], [0xe2], [0xe2, 0x82], [0xf0], [0xf0, 0x9f], [0xf0, 0x9f, 0x98],
        // Continuation bytes without a beginning.
        [0x80], [0xbf, 0x80], [0x80, 0x80, 0x80, 0x80, 0x80],
        // Surrogates: the first, the last, and a pair as CESU-8 writes it.
        [0xed, 0xa0, 0x80], [0xed, 0xbf, 0xbf], [0xed, 0xa0, 0xbd, 0xed, 0xb8, 0x80],
        // Overlong forms of '/', ESC and the newline.
        [0xc0, 0xaf], [0xe0, 0x80, 0xaf], [0xf0, 0x80, 0x80, 0xaf], [0xc0, 0x9b], [0xc1, 0xbf], [0xc0, 0x8a],
        // Code points above the last one, and bytes that UTF-8 never has.
        [0xf4, 0x90, 0x80, 0x80], [0xf5, 0x80, 0x80, 0x80], [0xf8, 0x88, 0x80, 0x80, 0x80], [0xfe], [0xff],
    ]

    @Test(arguments: invalid)
    func `Invalid UTF-8 is escaped and what follows is not touched`(invalid: [UInt8]) {
        let text = Self.escaped(invalid)
        #expect(SafeText.clean(invalid) == text)
        #expect(SafeText.clean(bytes("a") + invalid + bytes("b")) == "a\(text)b")
        #expect(SafeText.clean(invalid + bytes("é")) == "\(text)é")
        #expect(SafeText.clean(bytes("€") + invalid + bytes("😀") + invalid) == "€\(text)😀\(text)")
    }

    @Test(
        arguments: [
            0x061c, 0x200e, 0x200f, 0x2028, 0x2029, 0x202a, 0x202b, 0x202c, 0x202d, 0x202e, 0x2066, 0x2067, 0x2068,
            0x2069,
            0xfeff,
        ] as [UInt32])
    func `Marks of direction, line separators and the byte order mark are escaped`(value: UInt32) throws {
        let mark = String(try #require(Unicode.Scalar(value)))
        #expect(SafeText.clean(bytes("a\(mark)b")) == "a\(Self.escaped(mark.utf8))b")
    }

    @Test(arguments: ["é", "€", "😀", "e\u{301}", "\u{200d}", "日本", "\u{10ffff}", "\u{a0}", "\u{2027}", "\u{202f}"])
    func `Other characters stay as they are`(text: String) {
        #expect(Array(SafeText.clean(bytes(text)).utf8) == bytes(text))
    }

    @Test func `Any bytes become harmless, each kept or escaped, and stay as they are then`() {
        var random = SeededRandom(seed: 1)
        // These bytes begin, continue and break off sequences more often than random ones.
        let pool: [UInt8] = [0x00, 0x09, 0x0a, 0x1b, 0x41, 0x5c, 0x80, 0x9b, 0xbf, 0xc2, 0xe2, 0xed, 0xf0, 0xf4, 0xff]
        for _ in 0..<3000 {
            let input = (0..<Int.random(in: 0...12, using: &random)).map { _ in
                Bool.random(using: &random)
                    ? pool[Int.random(in: 0..<pool.count, using: &random)] : UInt8.random(in: 0...255, using: &random)
            }
            let text = SafeText.clean(input)
            #expect(text == Self.reference(input), "\(input)")
            #expect(SafeText.clean(bytes(text)) == text, "\(input)")
        }
    }

    /// The expected text by another way: the shortest valid piece at each place, by the standard library's validation.
    private static func reference(_ input: [UInt8]) -> String {
        let dangerous: Set<UInt32> = [0x061c, 0x200e, 0x200f, 0xfeff, 0x7f]
        var text = ""
        var rest = input[...]
        while let first = rest.first {
            let piece = (1...4).lazy.compactMap { String(validating: rest.prefix($0), as: UTF8.self) }.first
            guard let piece, let scalar = piece.unicodeScalars.first else {
                text += escaped([first])
                rest = rest.dropFirst()
                continue
            }
            let value = scalar.value
            let isHarmless =
                value == 9
                || value >= 0x20 && !(0x80..<0xa0).contains(value) && !dangerous.contains(value)
                    && !(0x2028...0x202e).contains(value) && !(0x2066...0x2069).contains(value)
            text += isHarmless ? piece : escaped(piece.utf8)
            rest = rest.dropFirst(piece.utf8.count)
        }
        return text
    }

    @Test(arguments: [
        ("/etc/qemu/fsfreeze-hook.d/10-a", "10-a", "/etc/qemu/fsfreeze-hook.d/"), ("10-a", "10-a", ""), ("/", "", "/"),
        ("/a", "a", "/"), ("a/b", "b", "a/"),
    ])
    func `A path is taken apart by its bytes`(path: String, name: String, parent: String) {
        let path = FilePath(path)
        #expect(path.nameBytes == bytes(name))
        #expect(path.parentBytes == bytes(parent))
        #expect(path.name == name)
    }

    @Test func `A path of any bytes keeps them, and shows them cleaned`() {
        let name: [UInt8] = Array(0x01...0xff).filter { $0 != 0x2f }
        let path = FilePath(bytes: bytes("/tmp/") + name)
        #expect(path.bytes == bytes("/tmp/") + name)
        #expect(path.nameBytes == name)
        #expect(SafeText.clean(path) == "/tmp/" + SafeText.clean(name))
    }
}
