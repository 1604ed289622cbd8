// SPDX-License-Identifier: Apache-2.0

import FreezeHookBase

/// A moment as the history keeps it, in the time zone in which it was written.
package struct KeptTime: Equatable, Sendable {
    /// RFC 3339 with milliseconds, unless the file is damaged.
    package let text: String
    // nil when the text names no moment; only the members below decide what an unknown moment means.
    private let time: WallTime?

    /// A moment to the millisecond, as it is kept.
    package init(_ time: WallTime) {
        // By the text, so that a cycle is the same before and after it is kept.
        self.init(text: time.rfc3339)
    }

    /// The moment of a text.
    package init(text: String) {
        self.text = text
        time = WallTime(rfc3339: text)
    }

    /// The form of tables, in the machine's time zone; the text itself of an unknown moment.
    package var dateAndTime: String { time?.dateAndTime ?? text }

    /// Seconds since 1970, UTC; 0 for an unknown moment.
    package var seconds: Double { time?.seconds ?? 0 }

    /// Seconds from this moment to `now`; the largest number for an unknown moment.
    package func age(at now: WallTime) -> Double {
        time.map { now.seconds - $0.seconds } ?? .greatestFiniteMagnitude
    }

    /// Whether this moment is before the other; false for an unknown moment, so that its cycle is shown.
    package func isBefore(_ other: WallTime) -> Bool { time.map { $0.microseconds < other.microseconds } ?? false }

    /// Seconds from the other moment to this one; 0 when this one is earlier or either is unknown.
    package func offset(from start: KeptTime) -> Double {
        guard let time, let start = start.time else { return 0 }
        return max(0, time.seconds - start.seconds)
    }
}
