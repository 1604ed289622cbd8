// SPDX-License-Identifier: Apache-2.0

import Glibc

/// A moment on the wall clock, which may be set back: it is shown and recorded, and no time limit is measured on it.
package struct WallTime: Equatable, Sendable {
    /// Microseconds since 1970, UTC.
    package var microseconds: Int64

    /// The moment so many microseconds after 1970, UTC.
    package init(microseconds: Int64) {
        self.microseconds = microseconds
    }

    /// The present moment.
    package static func now() -> WallTime {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return WallTime(microseconds: Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1000)
    }

    /// The moment at which this boot began, by the clock as it is set now.
    package static var ofBoot: WallTime {
        var time = timespec()
        // CLOCK_MONOTONIC stands still while the machine sleeps.
        clock_gettime(CLOCK_BOOTTIME, &time)
        let uptime = Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1000
        return WallTime(microseconds: WallTime.now().microseconds - uptime)
    }

    /// The moment that an RFC 3339 text names; nil when it names none.
    package init?(rfc3339 text: String) {
        let bytes = Array(text.utf8)
        func number(_ range: Range<Int>) -> Int32? {
            guard range.upperBound <= bytes.count, bytes[range].allSatisfy({ (0x30...0x39).contains($0) }) else {
                return nil
            }
            return Int32(String(decoding: bytes[range], as: UTF8.self))
        }
        func has(_ letters: String, at index: Int) -> Bool {
            index < bytes.count && letters.utf8.contains(bytes[index])
        }
        guard let year = number(0..<4), has("-", at: 4), let month = number(5..<7), has("-", at: 7),
            let day = number(8..<10), has("Tt ", at: 10), let hour = number(11..<13), has(":", at: 13),
            let minute = number(14..<16), has(":", at: 16), let second = number(17..<19)
        else { return nil }
        var parts = tm()
        (parts.tm_year, parts.tm_mon, parts.tm_mday) = (year - 1900, month - 1, day)
        (parts.tm_hour, parts.tm_min, parts.tm_sec) = (hour, minute, second)
        let moment = timegm(&parts)
        // timegm(3) carries what is out of range into the next field, so that the fields come back changed.
        guard parts.tm_mon == month - 1, parts.tm_mday == day, parts.tm_hour == hour, parts.tm_min == minute,
            parts.tm_sec == second
        else { return nil }
        let digits = has(".", at: 19) ? bytes[20...].prefix { (0x30...0x39).contains($0) } : []
        let fraction =
            Int64(String(decoding: (digits + [UInt8](repeating: 0x30, count: 6)).prefix(6), as: UTF8.self)) ?? 0
        let zone = has(".", at: 19) ? 20 + digits.count : 19
        var offset: Int64 = 0
        if has("+-", at: zone) {
            guard let hours = number(zone + 1..<zone + 3), has(":", at: zone + 3),
                let minutes = number(zone + 4..<zone + 6), bytes.count == zone + 6
            else { return nil }
            guard hours < 24, minutes < 60 else { return nil }
            offset = Int64(hours * 60 + minutes) * (has("-", at: zone) ? -60 : 60)
        } else if !has("Zz", at: zone) || bytes.count != zone + 1 {
            return nil
        }
        microseconds = (Int64(moment) - offset) * 1_000_000 + fraction
    }

    /// The moment that a date, or a date and a time of day, names in the machine's time zone: `2026-11-23`,
    /// `2026-11-23 02:19`, `2026-11-23 02:19:47`; nil when it names none.
    package init?(localTime text: String) {
        let complete = text + "2026-01-01 00:00:00".dropFirst(max(10, text.utf8.count))
        guard [10, 16, 19].contains(text.utf8.count), let time = WallTime(rfc3339: complete + "Z") else { return nil }
        // Parsed as UTC, taken apart, and read again in the machine's time zone by mktime(3).
        var seconds = time_t(time.microseconds / 1_000_000)
        var parts = tm()
        gmtime_r(&seconds, &parts)
        parts.tm_isdst = -1
        microseconds = Int64(mktime(&parts)) * 1_000_000
    }

    /// Seconds since 1970, UTC.
    package var seconds: Double { Double(microseconds) / 1e6 }

    /// The form of tables, in the machine's time zone: `2026-11-23 02:19:47`.
    package var dateAndTime: String {
        rfc3339.prefix(19).split(separator: "T").joined(separator: " ")
    }

    /// RFC 3339 in the machine's time zone with milliseconds: `2026-11-23T02:19:47.120+01:00`.
    package var rfc3339: String {
        // Rounded down, also before 1970.
        let fraction = ((microseconds % 1_000_000) + 1_000_000) % 1_000_000
        var seconds = time_t(microseconds / 1_000_000 - (microseconds % 1_000_000 < 0 ? 1 : 0))
        var parts = tm()
        localtime_r(&seconds, &parts)
        let offset = parts.tm_gmtoff / 60
        let date = "\(1900 + Int(parts.tm_year))-\(padded(parts.tm_mon + 1))-\(padded(parts.tm_mday))"
        let clock = "\(padded(parts.tm_hour)):\(padded(parts.tm_min)):\(padded(parts.tm_sec))"
        let milliseconds = padded(Int32(fraction / 1000), width: 3)
        let zone = "\(offset < 0 ? "-" : "+")\(padded(Int32(abs(offset) / 60))):\(padded(Int32(abs(offset) % 60)))"
        return "\(date)T\(clock).\(milliseconds)\(zone)"
    }

    private func padded(_ number: Int32, width: Int = 2) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
}
