import SystemPackage
import Testing

@testable import FreezeHook

/// Text that goes into the log, the record and the configuration.
@Suite struct TextTests {
    @Test func `Every control byte is shown, the tab stays`() {
        for byte in UInt8(0)..<0x20 where byte != 0x09 {
            let digits = String(byte, radix: 16)
            #expect(SafeText.clean([byte]) == "\\x" + (digits.count == 1 ? "0" : "") + digits)
        }
        #expect(SafeText.clean([0x7f]) == "\\x7f")
        #expect(SafeText.clean("a\tb \\ c".utf8) == "a\tb \\ c")
    }

    @Test(
        arguments: [
            ([0xff], "\\xff"), ([0x61, 0x80, 0x62], "a\\x80b"), ([0xc3], "\\xc3"), ([0xc0, 0xaf], "\\xc0\\xaf"),
            ([0xed, 0xa0, 0x80], "\\xed\\xa0\\x80"), ([0xe2, 0x82], "\\xe2\\x82"), ([0xf5, 0x80], "\\xf5\\x80"),
            ([0xc2, 0x9b], "\\xc2\\x9b"), ([0xe2, 0x80, 0xae], "\\xe2\\x80\\xae"), ([0xc3, 0xa4], "ä"),
            ([0xf0, 0x9f, 0x98, 0x80, 0xff], "😀\\xff"),
        ] as [([UInt8], String)])
    func `What is no harmless UTF-8 is shown byte by byte`(bytes: [UInt8], text: String) {
        #expect(SafeText.clean(bytes) == text)
    }

    @Test func `Random bytes become one clean line, which stays as it is`() {
        var random = SystemRandomNumberGenerator()
        for _ in 0..<500 {
            let bytes = (0..<40).map { _ in UInt8.random(in: 0...255, using: &random) }
            let text = SafeText.clean(bytes)
            #expect(text.unicodeScalars.allSatisfy { $0.value >= 0x20 || $0.value == 9 })
            #expect(SafeText.clean(text.utf8) == text)
        }
    }

    @Test(arguments: [
        ("500ms", 500), ("30s", 30_000), ("5min", 300_000), ("1h", 3_600_000), ("0", 0), ("2 s", 2_000),
    ])
    func `A time has its unit`(text: String, milliseconds: Int) {
        #expect(DurationText.parse(text) == .milliseconds(milliseconds))
    }

    @Test(arguments: ["", "5", "s", "-1s", "1.5s", "1m", "5 minutes", "99999999999999999999s", "9223372036854775807h"])
    func `Other texts are no time`(text: String) {
        #expect(DurationText.parse(text) == nil)
    }

    @Test(arguments: [1, 999, 1_000, 60_000, 90_000, 3_600_000, 5_000_000])
    func `A time comes back from its text`(milliseconds: Int) {
        let duration = Duration.milliseconds(milliseconds)
        #expect(DurationText.parse(DurationText.format(duration)) == duration)
    }

    @Test func `Seconds are rounded to milliseconds`() {
        #expect(DurationText.seconds(.microseconds(1_234_567)) == "1.235")
        #expect(DurationText.seconds(.zero) == "0.000")
        #expect(DurationText.seconds(.milliseconds(-5)) == "0.000")
    }

    @Test(arguments: [[0x09], [0x0a], [0x25], Array("a%0ab\tc\n%".utf8), [], [0xff, 0x00, 0x25, 0x30]] as [[UInt8]])
    func `A field of any bytes survives a line`(field: [UInt8]) {
        let line = FieldLine.encode([field, Array("end".utf8)])
        #expect(line.filter { $0 == 0x0a }.count == 1)
        #expect(FieldLine.decode(line.dropLast()) == [field, Array("end".utf8)])
    }

    @Test func `A path gives its name and what stands before`() {
        #expect(FilePath("/a/b/c").name == "c")
        #expect(FilePath("/a/b/c").parentBytes == Array("/a/b/".utf8))
        #expect(FilePath("c").name == "c")
        #expect(FilePath("c").parentBytes == [])
        #expect(FilePath(bytes: [0x2f, 0xff]).bytes == [0x2f, 0xff])
    }

    @Test func `A time is RFC 3339`() {
        let text = WallTime(microseconds: 1_795_415_836_899_430).rfc3339
        #expect(text.wholeMatch(of: #/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.899[+-]\d\d:\d\d/#) != nil, "\(text)")
    }
}
