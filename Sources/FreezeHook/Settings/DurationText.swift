/// Times as the configuration and the commands write them: a number and its unit, `500ms`, `30s`, `5min`.
package enum DurationText {
    // The longest unit that fits comes first when a duration is shown.
    private static let units: [(name: String, nanoseconds: Int64)] = [
        ("h", 3_600_000_000_000), ("min", 60_000_000_000), ("s", 1_000_000_000), ("ms", 1_000_000),
    ]

    // A year: longer than any window, and short enough that sums of them never overflow.
    private static let longest: Int64 = 365 * 24 * 3_600_000_000_000

    /// What `parse` takes, for messages.
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
        for unit in units where nanoseconds % unit.nanoseconds == 0 {
            return "\(nanoseconds / unit.nanoseconds)\(unit.name)"
        }
        return "\(nanoseconds / 1_000_000)ms"
    }

    /// Seconds with three places, as log lines show how long something took: `0.192`.
    package static func seconds(_ duration: Duration) -> String {
        let milliseconds = max(0, (duration.nanoseconds + 500_000) / 1_000_000)
        let fraction = String(milliseconds % 1000)
        return "\(milliseconds / 1000)." + String(repeating: "0", count: 3 - fraction.count) + fraction
    }
}
