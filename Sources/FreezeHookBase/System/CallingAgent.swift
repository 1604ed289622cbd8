// SPDX-License-Identifier: Apache-2.0

import Glibc
import SystemPackage

/// The qemu-ga that has started this process, and how much its main thread, which answers the host, has written.
///
/// The agent starts the hook of a freeze, waits for its end, freezes, and answers. When its freeze fails it thaws and
/// starts the hook again before it answers (qga/commands-posix.c): then it has written nothing between the two but lines of
/// its log (`-v`).
package struct CallingAgent: Equatable {
    /// The agent's process.
    package var process: ProcessIdentity
    /// The bytes that its main thread has written (`wchar`, proc(5)), less the positions of its open files: what it has
    /// written to its log file moves both. Only its difference to another one means something.
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
            let written = Self.number("wchar:", in: counters)
        else { return nil }
        let positions = (0..<Self.descriptorLimit).reduce(UInt64(0)) { $0 &+ Self.position(of: $1, pid) }
        self.init(process: ProcessIdentity(pid: pid, startTime: entry.startTime), writes: written &- positions)
    }

    private static let name = Array("qemu-ga".utf8)
    // The log is opened at the agent's start, and a new file gets the lowest free number.
    private static let descriptorLimit = 64

    /// The position in the regular file behind a descriptor; 0 for anything else.
    private static func position(of descriptor: Int, _ pid: pid_t) -> UInt64 {
        var status = stat()
        guard stat("/proc/\(pid)/fd/\(descriptor)", &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return 0 }
        return readKernelFile("/proc/\(pid)/fdinfo/\(descriptor)").flatMap { number("pos:", in: $0) } ?? 0
    }

    /// The number behind a key, on a line of its own.
    static func number(_ key: String, in text: [UInt8]) -> UInt64? {
        kernelValue(key, in: text).flatMap { UInt64($0) }
    }
}
