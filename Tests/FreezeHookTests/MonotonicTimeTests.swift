// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import FreezeHook
@testable import FreezeHookAdmin
@testable import FreezeHookBase
@testable import FreezeHookRecipes

/// Limits on the monotonic clock.
@Suite struct MonotonicTimeTests {
    @Test func `The clock only goes forward`() {
        var last = MonotonicTime.now()
        for _ in 0..<1000 {
            let now = MonotonicTime.now()
            #expect(now >= last)
            last = now
        }
    }

    @Test(arguments: [.zero, .nanoseconds(1), .milliseconds(-1500), .seconds(300)] as [Duration])
    func `A time added to a moment is what lies between them`(duration: Duration) {
        let moment = MonotonicTime(nanoseconds: 10_000_000_000)
        #expect(moment + duration - moment == duration)
        #expect((moment + duration < moment) == (duration < .zero))
    }

    @Test(
        arguments: [
            (.zero, 0, 0), (.nanoseconds(1), 1, 1), (.nanoseconds(999_999), 999_999, 1),
            (.milliseconds(1), 1_000_000, 1),
            (.nanoseconds(1_000_001), 1_000_001, 2), (.seconds(50), 50_000_000_000, 50_000),
            (.milliseconds(-1500), -1_500_000_000, 0), (.seconds(86_400 * 365), 31_536_000_000_000_000, .max),
        ] as [(Duration, Int64, Int32)])
    func `A time in nanoseconds, and for poll`(duration: Duration, nanoseconds: Int64, poll: Int32) {
        #expect(duration.nanoseconds == nanoseconds)
        #expect(duration.pollMilliseconds == poll)
        #expect(duration.inSeconds == Double(nanoseconds) / 1e9)
    }

    @Test func `The longest time that a configuration can give still makes a deadline`() async {
        // An overflow traps, so the code runs in a process of its own.
        await #expect(processExitsWith: .success) {
            let longest = try #require(DurationText.parse("8760h"))
            #expect(MonotonicTime.now() + longest > .now())
            #expect(MonotonicTime.now() + longest * 3 > .now())
            #expect((longest * 3).pollMilliseconds == .max)
        }
    }

    @Test func `What lies between moments of a damaged file is held within the clock`() async {
        await #expect(processExitsWith: .success) {
            let (first, last) = (MonotonicTime(nanoseconds: .min), MonotonicTime(nanoseconds: .max))
            #expect(last - first == .nanoseconds(Int64.max))
            #expect(first - last == .nanoseconds(Int64.min))
            #expect((first + .nanoseconds(-1)).nanoseconds == .min)
            #expect((last - first).pollMilliseconds == .max)
            #expect((first - last).pollMilliseconds == 0)
            #expect(DurationText.seconds(last - first) == "9223372036.854")
            #expect(DurationText.seconds(first - last) == "0.000")
        }
    }

    @Test func `What lies behind the end of the clock is its end`() async {
        await #expect(processExitsWith: .success) {
            #expect(Duration.seconds(Int64.max).nanoseconds == .max)
            #expect(Duration.seconds(Int64.min).nanoseconds == .min)
            #expect((MonotonicTime.now() + .seconds(Int64.max)).nanoseconds == .max)
            #expect((MonotonicTime(nanoseconds: .max - 1) + .nanoseconds(2)).nanoseconds == .max)
            #expect((MonotonicTime(nanoseconds: .max) - .now()).pollMilliseconds == .max)
        }
    }
}
