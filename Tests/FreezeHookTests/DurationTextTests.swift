// SPDX-License-Identifier: Apache-2.0

import TestSupport
import Testing

@testable import FreezeHook
@testable import FreezeHookAdmin
@testable import FreezeHookBase
@testable import FreezeHookRecipes

/// Times with their units.
@Suite struct DurationTextTests {
    @Test(
        arguments: [
            ("0", .zero), ("00", .zero), ("0s", .zero), ("500ms", .milliseconds(500)), ("30s", .seconds(30)),
            ("5min", .seconds(300)), ("1h", .seconds(3600)), ("007s", .seconds(7)), ("90 s", .seconds(90)),
            ("8760h", .seconds(31_536_000)), ("525600min", .seconds(31_536_000)),
            ("31536000000ms", .seconds(31_536_000)),
        ] as [(String, Duration)])
    func `A number and its unit are a time`(text: String, duration: Duration) {
        #expect(DurationText.parse(text) == duration)
    }

    @Test(arguments: [
        "", " ", "s", "ms", "30", "1", "-1s", "+1s", "1.5s", "1,5s", "1e3s", "30S", "30sec", "30m", "5Min", "1us",
        "30s ", " 30s", "3 0s", "30s30s", "30\ts", "1h30min", "0x10s", "١s", "30ſ", "3\u{301}s", "30s\u{301}", "∞",
    ])
    func `Anything else is none`(text: String) {
        #expect(DurationText.parse(text) == nil)
    }

    @Test(arguments: [
        "8761h", "525601min", "31536001s", "31536000001ms", "2562048h", "9223372036855ms", "9223372036854775807h",
        "9223372036854775808ms",
    ])
    func `A time of more than a year is none`(text: String) {
        #expect(DurationText.parse(text) == nil)
    }

    @Test(
        arguments: [
            (.zero, "0"), (.milliseconds(1), "1ms"), (.milliseconds(500), "500ms"), (.seconds(1), "1s"),
            (.milliseconds(1500), "1500ms"), (.seconds(60), "1min"), (.seconds(90), "90s"), (.seconds(3600), "1h"),
            (.seconds(5400), "90min"), (.seconds(86_400), "24h"), (.nanoseconds(1_999_999), "1ms"),
            (.nanoseconds(999_999), "0ms"),
        ] as [(Duration, String)])
    func `A time is shown with one unit`(duration: Duration, text: String) {
        #expect(DurationText.format(duration) == text)
    }

    @Test func `What is shown can be read again`() {
        var random = SeededRandom(seed: 2)
        for _ in 0..<2000 {
            let factor: Int64 = [1, 1000, 60_000, 3_600_000].randomElement(using: &random) ?? 1
            let duration = Duration.milliseconds(Int64.random(in: 0...31_536_000_000 / factor, using: &random) * factor)
            #expect(DurationText.parse(DurationText.format(duration)) == duration)
        }
    }

    @Test(
        arguments: [
            (.zero, "0.000"), (.nanoseconds(499_999), "0.000"), (.nanoseconds(500_000), "0.001"),
            (.milliseconds(192), "0.192"), (.milliseconds(9), "0.009"), (.nanoseconds(999_500_000), "1.000"),
            (.milliseconds(60_020), "60.020"), (.seconds(-1), "0.000"),
        ] as [(Duration, String)])
    func `Seconds are shown with three places`(duration: Duration, text: String) {
        #expect(DurationText.seconds(duration) == text)
    }

    @Test func `Days are read and never shown`() {
        #expect(DurationText.parse("7d") == .seconds(7 * 86_400))
        #expect(DurationText.format(.seconds(7 * 86_400)) == "168h")
    }

    @Test(
        arguments: [
            (0, "0.000s"), (0.1924, "0.192s"), (9.9994, "9.999s"), (9.9996, "10.00s"), (12.345, "12.35s"),
            (302.06, "302.1s"),
            (86_400, "86400s"), (-1, "0.000s"), (.greatestFiniteMagnitude, "999999s"),
        ] as [(Double, String)])
    func `Seconds for tables`(seconds: Double, text: String) {
        #expect(DurationText.brief(seconds) == text)
    }
}
