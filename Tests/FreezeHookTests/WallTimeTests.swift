// SPDX-License-Identifier: Apache-2.0

import Glibc
import TestSupport
import Testing

@testable import FreezeHook
@testable import FreezeHookAdmin
@testable import FreezeHookBase
@testable import FreezeHookRecipes

/// Times as the log shows them.
@Suite struct WallTimeTests {
    /// A setting of TZ, written out so that no zone files are needed, and a moment in that zone.
    struct Zone {
        var setting: String
        var microseconds: Int64
        var text: String

        init(_ setting: String, _ microseconds: Int64, _ text: String) {
            self.setting = setting
            self.microseconds = microseconds
            self.text = text
        }
    }

    static let zones = [
        Zone("UTC0", 0, "1970-01-01T00:00:00.000+00:00"),
        Zone("UTC0", 999, "1970-01-01T00:00:00.000+00:00"),
        Zone("UTC0", 1_000, "1970-01-01T00:00:00.001+00:00"),
        Zone("UTC0", 1_795_400_387_120_999, "2026-11-23T02:19:47.120+00:00"),
        Zone("UTC0", 1_795_400_387_999_999, "2026-11-23T02:19:47.999+00:00"),
        Zone("CET-1CEST,M3.5.0,M10.5.0/3", 1_795_396_787_120_000, "2026-11-23T02:19:47.120+01:00"),
        // The last second of summer time, and the first one after it.
        Zone("CET-1CEST,M3.5.0,M10.5.0/3", 1_792_889_999_000_000, "2026-10-25T02:59:59.000+02:00"),
        Zone("CET-1CEST,M3.5.0,M10.5.0/3", 1_792_890_000_000_000, "2026-10-25T02:00:00.000+01:00"),
        Zone("NST3:30NDT,M3.2.0,M11.1.0", 1_795_400_387_000_000, "2026-11-22T22:49:47.000-03:30"),
        Zone("<+0545>-5:45", 1_795_400_387_000_000, "2026-11-23T08:04:47.000+05:45"),
        Zone("<+14>-14", 1_798_714_800_000_000, "2027-01-01T01:00:00.000+14:00"),
        // Less than an hour west: the sign must not get lost with the hours.
        Zone("<-0030>0:30", 1_795_400_387_000_000, "2026-11-23T01:49:47.000-00:30"),
        Zone("UTC0", 1_709_164_800_000_000, "2024-02-29T00:00:00.000+00:00"),
    ]

    // The zone belongs to a whole process, so the code runs in one of its own.
    @Test func `A moment is shown in the machine's zone`() async {
        await #expect(processExitsWith: .success) {
            for zone in WallTimeTests.zones {
                setenv("TZ", zone.setting, 1)
                tzset()
                #expect(WallTime(microseconds: zone.microseconds).rfc3339 == zone.text, "TZ=\(zone.setting)")
            }
        }
    }

    @Test func `Now is what the clock of the machine says`() {
        var clock = timespec()
        clock_gettime(CLOCK_REALTIME, &clock)
        let before = Int64(clock.tv_sec) * 1_000_000 + Int64(clock.tv_nsec) / 1000
        let now = WallTime.now().microseconds
        #expect((before...before + 60_000_000).contains(now))
    }

    @Test(arguments: [
        ("1970-01-01T00:00:00Z", 0), ("1970-01-01T00:00:00.000+00:00", 0), ("1970-01-01t01:00:00.5+01:00", 500_000),
        ("1969-12-31 23:00:00-01:00", 0), ("2026-11-23T02:19:47.120456789+01:00", 1_795_396_787_120_456),
    ])
    func `An RFC 3339 text is read`(text: String, microseconds: Int64) {
        #expect(WallTime(rfc3339: text)?.microseconds == microseconds)
    }

    @Test(arguments: [
        "", "2026", "2026-11-23", "2026-11-23T02:19:47", "2026-11-23T02:19:47+0100", "2026-11-23T02:19:47Zx", "now",
        "2026-11-23T02:19:47.120+01:0", "２０２６-11-23T02:19:47Z", "2026-11-23T02:19:47+01:00 ",
        "2026-13-23T02:19:47Z", "2026-00-23T02:19:47Z", "2026-02-29T02:19:47Z", "2026-11-00T02:19:47Z",
        "2026-11-31T02:19:47Z", "2026-11-23T24:19:47Z", "2026-11-23T02:60:47Z", "2026-11-23T02:19:60Z",
        "2026-11-23T02:19:47+24:00", "2026-11-23T02:19:47+01:60", "9999-99-99T99:99:99Z",
    ])
    func `Nothing else is`(text: String) {
        #expect(WallTime(rfc3339: text) == nil)
    }

    @Test(arguments: [
        (Int64.min, "-290308-"), (.max, "294247-"), (-1, "1969-12-31T23:59:59.999"),
        (-1_000_000, "1969-12-31T23:59:59.000"),
    ])
    func `Any number of a file is shown`(microseconds: Int64, start: String) async {
        // A trap ends the process, so the code runs in a process of its own; the zone belongs to a whole process, too.
        await #expect(processExitsWith: .success) { [microseconds, start] in
            setenv("TZ", "UTC0", 1)
            tzset()
            let text = WallTime(microseconds: microseconds).rfc3339
            #expect(text.hasPrefix(start), "\(text)")
        }
    }

    @Test func `What is shown is read again`() {
        var random = SeededRandom(seed: 3)
        for _ in 0..<200 {
            let time = WallTime(microseconds: Int64.random(in: 0...4_000_000_000_000, using: &random) * 1000)
            #expect(WallTime(rfc3339: time.rfc3339) == time)
            let text = time.dateAndTime
            #expect(WallTime(localTime: text)?.dateAndTime == text)
            #expect(WallTime(localTime: String(text.prefix(16)))?.dateAndTime == text.prefix(16) + ":00")
            #expect(WallTime(localTime: String(text.prefix(10)))?.dateAndTime == text.prefix(10) + " 00:00:00")
        }
        for text in ["", "7d", "2026-11", "2026-11-23 02", "2026-11-23 02:19:4", "yesterday", "23.11.2026"] {
            #expect(WallTime(localTime: text) == nil)
        }
    }
}
