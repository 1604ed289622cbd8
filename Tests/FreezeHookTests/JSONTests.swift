// SPDX-License-Identifier: Apache-2.0

import TestSupport
import Testing

@testable import FreezeHookAdmin
@testable import FreezeHookBase

/// JSON without Foundation, beside Foundation's.
@Suite struct JSONTests {
    @Test func `Values are written as Foundation writes them`() throws {
        let scalars = (0...0x2ff).compactMap { Unicode.Scalar($0) } + ["\u{2028}", "\u{feff}", "\u{1f469}", "\u{fffd}"]
        let values: [JSON] = [
            .string(String(String.UnicodeScalarView(scalars))), .string(""), .bool(true), .bool(false), .null,
            .integer(0), .integer(-1), .integer(.max), .integer(.min), .array([]), .object([:]),
            .object(["b": .integer(1), "a_c": .array([.null, .string("x/y")]), "a": .object(["z": .bool(true)])]),
            .object(["reasons": .null, "reason": .null, "reason_kinds": .null]),
        ]
        for value in values { #expect(try JSONText.line(of: value) == value.text) }
        var random = SeededRandom(seed: 7)
        let numbers = [
            0, 0.5, 1, -2, 1e15, 1e16, 1e17, 123_456_789.125, 9.6e-05, 1e-9, .leastNormalMagnitude, 1.7e308, 0.1,
            86_400,
        ]
        let others = (0..<2000).map { _ in Double(Int64.random(in: 0...1_000_000_000_000_000, using: &random)) / 1e9 }
        for number in numbers + others {
            #expect(try JSONText.line(of: JSON.number(number)) == JSON.number(number).text)
        }
        #expect(JSON.number(.infinity).text == "null" && JSON.number(.nan).text == "null")
    }

    @Test func `What is written is read back`() throws {
        let scalars = (0...0x2ff).compactMap { Unicode.Scalar($0) } + ["\u{1f469}", "\u{10ffff}"]
        let value = JSON.object([
            "text": .string(String(String.UnicodeScalarView(scalars))), "": .array([.bool(true), .null, .integer(-7)]),
            "number": .number(0.192), "small": .number(1e-9), "nested": .object(["a": .array([.array([])])]),
        ])
        #expect(JSON(parsing: bytes(value.text)) == value)
        #expect(JSON(parsing: bytes(try JSONText.encode(value))) == value, "blanks and newlines between")
    }

    @Test(arguments: [
        (#""\u00e9\uD83D\uDC69\/\b\f""#, JSON.string("é\u{1f469}/\u{8}\u{c}")),
        (" [ 1 , 2 ] ", .array([.integer(1), .integer(2)])),
        ("-0", .integer(0)), ("1E2", .number(100)), ("1.5e-1", .number(0.15)),
        ("9223372036854775808", .integer(.max)), ("-99999999999999999999", .integer(.min)),
        ("1e999", .number(.greatestFiniteMagnitude)), ("-1e999", .number(-.greatestFiniteMagnitude)),
        (#"{"a":1,"a":2}"#, .object(["a": .integer(2)])),
    ])
    func `What others write is read`(text: String, value: JSON) {
        #expect(JSON(parsing: bytes(text)) == value)
    }

    @Test(arguments: [
        "", " ", "{", "}", "[", "[1", "[1,", "[1,]", "[,1]", "[1 2]", "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "{a:1}",
        "{1:1}", "\"",
        "\"\\\"", "\"\\x\"", "\"\\u12\"", "\"\\u12g4\"", "\"\\ud800\"", "\"\\ud800\\u0041\"", "\"\\udc00\"", "\"\n\"",
        "01", "1.", ".5", "+1", "-", "1e", "1e+", "0x1", "nul", "nulll", "tru", "NaN", "Infinity", "1 1", "{} {}",
        "'a'",
        "\u{0}", "\u{feff}1",
    ])
    func `What is no JSON is none`(text: String) {
        #expect(JSON(parsing: bytes(text)) == nil)
    }

    @Test func `Bytes that are no UTF-8, and nesting beyond reason, are none`() {
        #expect(JSON(parsing: [0x22, 0xff, 0x22]) == nil)
        #expect(JSON(parsing: [0x22, 0xed, 0xa0, 0x80, 0x22]) == nil)
        func nested(_ depth: Int) -> [UInt8] {
            Array(repeating: UInt8(ascii: "["), count: depth) + Array(repeating: UInt8(ascii: "]"), count: depth)
        }
        #expect(JSON(parsing: nested(33)) != nil)
        #expect(JSON(parsing: nested(34)) == nil)
        #expect(JSON(parsing: nested(1_000_000)) == nil)
    }

    @Test func `Bytes by chance end nothing`() {
        var random = SeededRandom(seed: 9)
        let letters = Array("{}[]\",:\\u0123eE+-. tfn\u{e9}".utf8)
        for _ in 0..<20_000 {
            let count = Int.random(in: 0...24, using: &random)
            let text = (0..<count).map { _ in letters[Int.random(in: 0..<letters.count, using: &random)] }
            guard let value = JSON(parsing: text) else { continue }
            // The first writing may turn a power of ten into a whole number; further ones change nothing.
            let again = JSON(parsing: bytes(value.text))
            #expect(again.flatMap { JSON(parsing: bytes($0.text)) } == again && again != nil, "\(value)")
        }
    }

    @Test func `A number is whole or within its limits`() {
        #expect(JSON.number(77).integer == 77 && JSON.number(0.5).integer == nil && JSON.string("1").integer == nil)
        #expect(JSON.number(1e300).integer == .max && JSON.number(-1e300).integer == .min)
        #expect(JSON.integer(3).number == 3)
    }
}
