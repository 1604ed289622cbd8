// SPDX-License-Identifier: Apache-2.0

import TestSupport
import Testing

@testable import FreezeHook
@testable import FreezeHookAdmin
@testable import FreezeHookBase
@testable import FreezeHookRecipes

/// Lines of fields of any bytes.
@Suite struct FieldLineTests {
    /// The fields of an encoded line, read back.
    private func again(_ fields: [[UInt8]]) -> [[UInt8]] {
        FieldLine.decode(FieldLine.encode(fields).dropLast())
    }

    @Test(arguments: [
        ("a\tb", "a%09b"), ("a\nb", "a%0ab"), ("100%", "100%25"), ("%09", "%2509"), ("\r\0\\", "\r\0\\"), ("", ""),
    ])
    func `What would end a field is written as a number`(field: String, line: String) {
        #expect(FieldLine.encode([bytes(field)]) == bytes(line + "\n"))
        #expect(again([bytes(field)]) == [bytes(field)])
    }

    @Test func `Any fields come back`() {
        var random = SeededRandom(seed: 5)
        let all = Array(UInt8.min...UInt8.max)
        #expect(again([all, [], all.reversed()]) == [all, [], all.reversed()])
        let pool: [UInt8] = [0x09, 0x0a, 0x25, 0x30, 0x39, 0x61, 0x00, 0xff]
        for _ in 0..<2000 {
            let fields = (0...Int.random(in: 0...5, using: &random)).map { _ in
                (0..<Int.random(in: 0...8, using: &random)).map { _ in
                    pool.randomElement(using: &random) ?? 0
                }
            }
            let line = FieldLine.encode(fields)
            #expect(again(fields) == fields)
            #expect(line.filter { $0 == 0x0a }.count == 1)
        }
    }

    @Test(arguments: ["%", "%2", "%zz", "a%", "%%", "%g0", "é%"])
    func `A mark without a number is what it is`(text: String) {
        let decoded = FieldLine.decode(bytes(text)[...])
        #expect(decoded.count == 1)
        #expect(decoded.first?.isEmpty == false)
    }

    @Test(arguments: [
        ("", []), ("a", []), ("a\n", ["a"]), ("a\nb", ["a"]), ("a\nb\n", ["a", "b"]), ("\n", []), ("\n\na\n\n", ["a"]),
    ])
    func `A torn last line is passed over`(contents: String, expected: [String]) {
        #expect(FieldLine.lines(of: bytes(contents)).map { String(decoding: $0, as: UTF8.self) } == expected)
    }
}
