// SPDX-License-Identifier: Apache-2.0

/// The pauses between the guard's tries to thaw what may still be held: each is twice as long as the one before, up to an
/// hour, and after a day or so there are no more.
struct RetryPauses {
    private var pause: Duration
    private var left = 32

    private static let longest = Duration.seconds(3600)

    /// The pauses from the first on.
    init(first: Duration) {
        pause = min(first, Self.longest)
    }

    /// The next pause; nil when the guard has tried often enough.
    mutating func next() -> Duration? {
        guard left > 0 else { return nil }
        left -= 1
        defer { pause = min(pause * 2, Self.longest) }
        return pause
    }
}
