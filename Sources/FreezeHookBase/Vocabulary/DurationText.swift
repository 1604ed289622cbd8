// SPDX-License-Identifier: Apache-2.0

/// Times as the configuration and the commands write them: a number and its unit, `500ms`, `30s`, `5min`.
package enum DurationText {
    // Longest first: `format` takes the first unit that divides the duration.
    private static let units: [(name: String, nanoseconds: Int64)] = [
        ("d", 86_400_000_000_000), ("h", 3_600_000_000_000), ("min", 60_000_000_000), ("s", 1_000_000_000),
        ("ms", 1_000_000),
    ]

    // A year: longer than any window, and short enough that sums of them never overflow.
    private static let longest: Int64 = 365 * 24 * 3_600_000_000_000

    /// The form that `parse` accepts, for messages.
    package static let allowed = "a time with its unit, such as 500ms, 30s, 5min or 1h"

    /// The duration, or nil when the text is none. Only `0` may stand without a unit.
    package static func parse(_ text: some StringProtocol) -> Duration? {
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        guard let number = Int64(digits) else { return nil }
        let unit = text.dropFirst(digits.count).drop { $0 == " " }
        if unit.isEmpty { return number == 0 ? .zero : nil }
        guard let factor = units.first(where: { $0.name == unit })?.nanoseconds else { return nil }
        let (nanoseconds, overflow) = number.multipliedReportingOverflow(by: factor)
        return overflow || nanoseconds > longest ? nil : .nanoseconds(nanoseconds)
    }

    /// The shortest exact text with one unit; below a millisecond it is rounded down.
    package static func format(_ duration: Duration) -> String {
        let nanoseconds = duration.nanoseconds
        if nanoseconds == 0 { return "0" }
        // Days are left out: no limit is written in days.
        for unit in units.dropFirst() where nanoseconds % unit.nanoseconds == 0 {
            return "\(nanoseconds / unit.nanoseconds)\(unit.name)"
        }
        return "\(nanoseconds / 1_000_000)ms"
    }

    /// Seconds with three places, as log lines show how long something took: `0.192`.
    package static func seconds(_ duration: Duration) -> String {
        let milliseconds = max(0, duration.nanoseconds.saturatingSum(500_000) / 1_000_000)
        let fraction = String(milliseconds % 1000)
        return "\(milliseconds / 1000)." + String(repeating: "0", count: 3 - fraction.count) + fraction
    }

    /// The duration of a number of seconds, held between 0 and 999,999 s: a damaged file can hold any number.
    package static func shown(_ seconds: Double) -> Duration {
        .milliseconds(Int64(max(0, min(seconds, 999_999)) * 1000 + 0.5))
    }

    /// Seconds in at most seven columns, as tables show them: `0.192s`, `12.35s`, `302.1s`, `86400s`.
    package static func brief(_ seconds: Double) -> String {
        let milliseconds = shown(seconds).nanoseconds / 1_000_000
        let places = milliseconds < 10_000 ? 3 : milliseconds < 100_000 ? 2 : milliseconds < 1_000_000 ? 1 : 0
        let unit: Int64 = [1000, 100, 10, 1][places]
        let text = DurationText.seconds(.milliseconds((milliseconds + unit / 2) / unit * unit))
        return text.dropLast(places == 0 ? 4 : 3 - places) + "s"
    }
}
