// SPDX-License-Identifier: Apache-2.0

import FreezeHookBase

/// A moment on both clocks: one to measure by, one to show.
package struct Timestamp: Equatable, Sendable {
    /// The moment for measuring.
    package var monotonic = MonotonicTime.now()
    /// The moment for display.
    package var wall = WallTime.now()

    package init() {}

    init(monotonic: MonotonicTime, wall: WallTime) {
        self.monotonic = monotonic
        self.wall = wall
    }
}
