// SPDX-License-Identifier: Apache-2.0

import Glibc

extension pollfd {
    /// An entry for poll(2): the descriptor and the event to wait for; nil waits for nothing.
    package init(_ number: Int32?, for event: Int32 = POLLIN) {
        // poll(2) ignores a negative number.
        self.init(fd: number ?? -1, events: Int16(event), revents: 0)
    }

    /// Whether the event has come, or an error, or the end.
    package var isReady: Bool { revents != 0 }
}

/// Waits until a descriptor is ready, a signal or the moment has come; nil sets no time limit.
package func pollDescriptors(_ waiting: inout [pollfd], until moment: MonotonicTime?) {
    _ = poll(&waiting, nfds_t(waiting.count), moment.map { ($0 - .now()).pollMilliseconds } ?? -1)
}
