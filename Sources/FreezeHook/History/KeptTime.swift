// SPDX-License-Identifier: Apache-2.0

import FreezeHookBase

/// A moment as the history keeps it. The text has the time zone in which it was written, and is shown as it stands.
package struct KeptTime: Equatable, Sendable {
    /// RFC 3339 with milliseconds, unless the file is damaged.
    package let text: String
    // nil when the text names no moment; what that means is said below and nowhere else.
    private let time: WallTime?

    /// A moment to the millisecond, as it is kept.
    package init(_ time: WallTime) {
        // By its text, so that a cycle is the same before it is kept and after.
        self.init(text: time.rfc3339)
    }

    /// The moment of a text.
    package init(text: String) {
        self.text = text
        time = WallTime(rfc3339: text)
    }

    /// As tables show it, in the machine's time zone; an unknown moment as it stands.
    package var dateAndTime: String { time?.dateAndTime ?? text }

    /// Seconds since 1970, UTC; 0 for an unknown moment.
    package var seconds: Double { time?.seconds ?? 0 }

    /// Seconds from it to `now`; of an unknown moment more than any limit.
    package func age(at now: WallTime) -> Double {
        time.map { now.seconds - $0.seconds } ?? .greatestFiniteMagnitude
    }

    /// Whether it is known to lie before the other moment: rather one cycle too many is shown than one too few.
    package func isBefore(_ other: WallTime) -> Bool { time.map { $0.microseconds < other.microseconds } ?? false }

    /// Seconds from the other moment to this one; 0 when it is not known to be later.
    package func offset(from start: KeptTime) -> Double {
        guard let time, let start = start.time else { return 0 }
        return max(0, time.seconds - start.seconds)
    }
}
