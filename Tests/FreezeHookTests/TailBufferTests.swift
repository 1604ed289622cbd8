// SPDX-License-Identifier: Apache-2.0

import SystemPackage
import TestSupport
import Testing

@testable import FreezeHook
@testable import FreezeHookAdmin
@testable import FreezeHookBase
@testable import FreezeHookRecipes

/// The last bytes of a stream.
@Suite struct TailBufferTests {
    /// Bytes that depend on their offset.
    private func pattern(_ count: Int, from start: Int = 0) -> [UInt8] {
        (start..<start + count).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) | 0x80 }
    }

    @Test func `Nothing has no end`() {
        #expect(TailBuffer().suffix(bytes: 10, lines: 10).isEmpty)
        #expect(TailBuffer().total == 0)
    }

    @Test(arguments: [1, 32_768, 65_535, 65_536, 65_537, 131_071, 131_072, 131_073, 200_000])
    func `The last bytes are kept whatever has passed`(count: Int) {
        var tail = TailBuffer()
        let stream = pattern(count)
        var rest = stream[...]
        while !rest.isEmpty {
            let piece = rest.prefix(10_007)
            tail.append(piece)
            rest = rest.dropFirst(piece.count)
        }
        #expect(tail.total == count)
        #expect(tail.suffix(bytes: 32_768, lines: 500) == stream.suffix(32_768))
        #expect(tail.suffix(bytes: 1, lines: 500) == stream.suffix(1))
    }

    @Test func `Bytes are kept at every place of the two halves`() {
        var random = SeededRandom(seed: 4)
        var tail = TailBuffer()
        var stream: [UInt8] = []
        for _ in 0..<25 {
            let piece = pattern(Int.random(in: 1...65_536, using: &random), from: stream.count)
            tail.append(piece[...])
            stream = (stream + piece).suffix(70_000)
            #expect(tail.suffix(bytes: 65_000, lines: 1) == stream.suffix(min(65_000, tail.total)))
        }
    }

    @Test func `It reads from a descriptor until its end`() throws {
        let pipe = try Pipe()
        var tail = TailBuffer()
        pipe.write(bytes("abc"))
        #expect(try tail.read(from: pipe.readEnd) == 3)
        pipe.write(bytes("de"))
        pipe.closeWriteEnd()
        #expect(try tail.read(from: pipe.readEnd) == 2)
        #expect(try tail.read(from: pipe.readEnd) == 0)
        #expect(throws: Errno.badFileDescriptor) { try tail.read(from: -1) }
        #expect(tail.total == 5)
        #expect(tail.suffix(bytes: 4, lines: 9) == bytes("bcde")[...])
    }

    @Test(arguments: [
        ("a\nb\nc\n", 2, "b\nc\n"), ("a\nb\nc", 2, "b\nc"), ("a\nb\nc\n", 3, "a\nb\nc\n"), ("a\nb\nc", 4, "a\nb\nc"),
        ("a\nb\n\n", 1, "\n"), ("a\nb\n\n", 2, "b\n\n"), ("abc", 1, "abc"), ("\n\n\n", 2, "\n\n"), ("a\n", 1, "a\n"),
    ])
    func `Lines are counted from the end`(text: String, lines: Int, expected: String) {
        var tail = TailBuffer()
        tail.append(bytes(text)[...])
        #expect(Array(tail.suffix(bytes: 1000, lines: lines)) == bytes(expected))
    }
}
