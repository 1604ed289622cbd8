// SPDX-License-Identifier: Apache-2.0

import Glibc

/// A moment on the monotonic clock, which no change of the date moves. Every time limit is measured on this clock.
package struct MonotonicTime: Comparable, Sendable {
    /// Nanoseconds since some moment in the past, the same one for all processes of this boot.
    package var nanoseconds: Int64

    /// The moment at this reading of the clock.
    package init(nanoseconds: Int64) {
        self.nanoseconds = nanoseconds
    }

    /// The present moment.
    package static func now() -> MonotonicTime {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return MonotonicTime(nanoseconds: Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec))
    }

    package static func < (left: Self, right: Self) -> Bool {
        left.nanoseconds < right.nanoseconds
    }

    package static func + (time: Self, duration: Duration) -> Self {
        // A sum beyond the clock's range is no limit.
        MonotonicTime(nanoseconds: time.nanoseconds.saturatingSum(duration.nanoseconds))
    }

    package static func - (later: Self, earlier: Self) -> Duration {
        // Either moment may come from a damaged file.
        let (difference, overflow) = later.nanoseconds.subtractingReportingOverflow(earlier.nanoseconds)
        return .nanoseconds(overflow ? (later < earlier ? .min : .max) : difference)
    }
}

extension FixedWidthInteger {
    /// The sum, held within the type's range: a damaged file can hold any number.
    package func saturatingSum(_ other: Self) -> Self {
        let (sum, overflow) = addingReportingOverflow(other)
        return overflow ? (other < 0 ? .min : .max) : sum
    }
}

extension Duration {
    /// The whole duration in nanoseconds.
    package var nanoseconds: Int64 {
        let (whole, overflow) = components.seconds.multipliedReportingOverflow(by: 1_000_000_000)
        let (sum, overflows) = whole.addingReportingOverflow(components.attoseconds / 1_000_000_000)
        return overflow || overflows ? (components.seconds < 0 ? .min : .max) : sum
    }

    /// The duration in seconds with its fraction.
    package var inSeconds: Double {
        Double(nanoseconds) / 1e9
    }

    /// Milliseconds for `poll`, rounded up so that a wait never ends too early; never negative.
    package var pollMilliseconds: Int32 {
        Int32(clamping: max(0, nanoseconds.saturatingSum(999_999) / 1_000_000))
    }
}
