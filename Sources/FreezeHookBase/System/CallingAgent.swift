// SPDX-License-Identifier: Apache-2.0

import Glibc
import SystemPackage

/// The qemu-ga that has started this process, and how often its main thread, which answers the host, has written.
///
/// The agent starts the hook of a freeze, waits for its end, freezes, and answers. When its freeze fails it thaws and
/// starts the hook again before it answers (qga/commands-posix.c): then it has written nothing between the two.
package struct CallingAgent: Equatable {
    /// The agent's process.
    package var process: ProcessIdentity
    /// The number of calls of write(2) by its main thread, failed ones included (`syscw`, proc(5)).
    package var writes: UInt64

    /// An agent of a record.
    package init(process: ProcessIdentity, writes: UInt64) {
        self.process = process
        self.writes = writes
    }

    /// The parent of this process; nil when that is another program, or the kernel does not show its writes.
    package init?() {
        self.init(getppid())
    }

    /// The process of this id; nil when it is no qemu-ga, or the kernel does not show its writes.
    init?(_ pid: pid_t) {
        // ` (deleted)` follows the name when an upgrade has replaced the file.
        guard let program = FilePath("/proc/\(pid)/exe").linkTarget, program.nameBytes.starts(with: Self.name),
            let entry = ProcessTable.entry(pid),
            // The counters of the whole process (/proc/PID/io) contain those of its ended children.
            let counters = readKernelFile("/proc/\(pid)/task/\(pid)/io"),
            let writes = Self.writes(in: counters)
        else { return nil }
        self.init(process: ProcessIdentity(pid: pid, startTime: entry.startTime), writes: writes)
    }

    private static let name = Array("qemu-ga".utf8)
    private static let key = Array("syscw: ".utf8)

    static func writes(in counters: [UInt8]) -> UInt64? {
        let line = counters.split(separator: UInt8(ascii: "\n")).first { $0.starts(with: key) }
        return line.flatMap { UInt64(String(decoding: $0.dropFirst(key.count), as: UTF8.self)) }
    }
}
