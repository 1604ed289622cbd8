// SPDX-License-Identifier: Apache-2.0

import Glibc

/// A process for good: pids come round again, the start time tells it from a stranger that has got the same one since.
package struct ProcessIdentity: Equatable, Hashable, Sendable {
    /// The process id.
    package var pid: pid_t
    /// Clock ticks since boot.
    package var startTime: UInt64

    /// The process that had this id and was started then.
    package init(pid: pid_t, startTime: UInt64) {
        self.pid = pid
        self.startTime = startTime
    }

    /// A process that is there now, a zombie included: this process itself, or a child not yet reaped.
    package init(of pid: pid_t) {
        self.init(pid: pid, startTime: ProcessTable.entry(pid)?.startTime ?? 0)
    }

    /// Whether it still runs; a zombie does not.
    package var isAlive: Bool {
        ProcessTable.entry(pid).map { $0.startTime == startTime && $0.state != "Z" } ?? false
    }
}
