import Glibc

/// A moment as a clock on the wall shows it. Only shown and recorded: nothing is ever decided by it.
package struct WallTime: Equatable, Sendable {
    /// Microseconds since 1970, UTC.
    package var microseconds: Int64

    package init(microseconds: Int64) {
        self.microseconds = microseconds
    }

    /// The present moment.
    package static func now() -> WallTime {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return WallTime(microseconds: Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1000)
    }

    /// RFC 3339 in the machine's time zone with milliseconds: `2026-11-23T02:19:47.120+01:00`.
    package var rfc3339: String {
        var seconds = time_t(microseconds / 1_000_000)
        var parts = tm()
        localtime_r(&seconds, &parts)
        let offset = parts.tm_gmtoff / 60
        let date = "\(1900 + Int(parts.tm_year))-\(padded(parts.tm_mon + 1))-\(padded(parts.tm_mday))"
        let clock = "\(padded(parts.tm_hour)):\(padded(parts.tm_min)):\(padded(parts.tm_sec))"
        let milliseconds = padded(Int32(microseconds / 1000 % 1000), width: 3)
        let zone = "\(offset < 0 ? "-" : "+")\(padded(Int32(abs(offset) / 60))):\(padded(Int32(abs(offset) % 60)))"
        return "\(date)T\(clock).\(milliseconds)\(zone)"
    }

    private func padded(_ number: Int32, width: Int = 2) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
}
