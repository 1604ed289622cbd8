// SPDX-License-Identifier: Apache-2.0

import CLinux

/// The kernel's clock.
package enum ClockState {
    /// Whether the clock follows another one (NTP, PTP; adjtimex(2)); nil when the kernel does not say.
    package static var isSynchronised: Bool? {
        switch clinux_clock_is_synchronised() {
        case 0: false
        case 1: true
        default: nil
        }
    }
}
