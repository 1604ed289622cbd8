// SPDX-License-Identifier: Apache-2.0

import Glibc

/// A process for good: pids are reused, and the start time distinguishes it from a later process of the same pid.
package struct ProcessIdentity: Equatable, Hashable, Sendable {
    /// The process id.
    package var pid: pid_t
    /// The start in clock ticks since boot.
    package var startTime: UInt64

    /// The process of this id and start time.
    package init(pid: pid_t, startTime: UInt64) {
        self.pid = pid
        self.startTime = startTime
    }

    /// A present process, a zombie included: this process itself, or a child not yet reaped.
    package init(of pid: pid_t) {
        self.init(pid: pid, startTime: ProcessTable.entry(pid)?.startTime ?? 0)
    }

    /// Continues the process when it is stopped.
    package func resume() {
        if isAlive { kill(pid, SIGCONT) }
    }

    /// Whether the process still runs; a zombie does not.
    package var isAlive: Bool {
        ProcessTable.entry(pid).map { $0.startTime == startTime && $0.state != "Z" } ?? false
    }
}
