// SPDX-License-Identifier: Apache-2.0

import Glibc

extension pollfd {
    /// What `poll` watches of a descriptor: input, or what `event` says; nothing of none.
    package init(_ number: Int32?, for event: Int32 = POLLIN) {
        // poll(2) passes over a negative number.
        self.init(fd: number ?? -1, events: Int16(event), revents: 0)
    }

    /// Whether something has come, an error or the end included.
    package var isReady: Bool { revents != 0 }
}

/// Waits until one of the descriptors is ready, a signal has come or the moment is there; nil is never.
package func pollDescriptors(_ waiting: inout [pollfd], until moment: MonotonicTime?) {
    _ = poll(&waiting, nfds_t(waiting.count), moment.map { ($0 - .now()).pollMilliseconds } ?? -1)
}
