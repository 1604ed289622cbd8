// SPDX-License-Identifier: Apache-2.0

import Glibc

/// Seconds on the monotonic clock.
package func monotonicSeconds() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
}

/// Whether the condition comes true within this many seconds; the wait asks every few milliseconds.
package func eventually(within seconds: Double = 10, _ condition: () throws -> Bool) rethrows -> Bool {
    let end = monotonicSeconds() + seconds
    while true {
        if try condition() { return true }
        if monotonicSeconds() >= end { return false }
        usleep(2_000)
    }
}
