// SPDX-License-Identifier: Apache-2.0

import Glibc
import SystemPackage

/// One process, by `/proc/PID/stat` (proc(5)).
package struct ProcessEntry: Equatable, Sendable {
    /// The process id.
    package var pid: pid_t
    /// The parent's process id.
    package var parent: pid_t
    /// The id of the session: the process id of its first leader.
    package var session: pid_t
    /// The letter of `/proc/PID/stat`: `Z` is a zombie, `D` sleeps in the kernel and cannot be killed.
    package var state: Character
    /// The start in clock ticks since boot.
    package var startTime: UInt64
}

/// The processes of this machine, read from `/proc`.
package enum ProcessTable {
    /// One process, or nil when there is none with this id.
    package static func entry(_ pid: pid_t) -> ProcessEntry? {
        readKernelFile("/proc/\(pid)/stat").flatMap { ProcessEntry(pid, stat: $0) }
    }

    /// Every process that could be read.
    package static func all() -> [ProcessEntry] {
        let names = (try? directoryNames("/proc")) ?? []
        return names.compactMap { pid_t(String(decoding: $0, as: UTF8.self)).flatMap(entry) }
    }

    /// The descendants of the given processes, without these.
    package static func descendants(of ancestors: Set<pid_t>, in table: [ProcessEntry]) -> [ProcessEntry] {
        let children = Dictionary(grouping: table, by: \.parent)
        var found: [ProcessEntry] = []
        var waiting = Array(ancestors)
        while let next = waiting.popLast() {
            for child in children[next] ?? [] where !ancestors.contains(child.pid) {
                found.append(child)
                waiting.append(child.pid)
            }
        }
        return found
    }

    /// The environment a process was started with, an entry each, or nil when it cannot be read.
    package static func environment(of pid: pid_t) -> [[UInt8]]? {
        readKernelFile("/proc/\(pid)/environ").map { $0.split(separator: 0).map(Array.init) }
    }

    /// The arguments of a process, or nil when they cannot be read.
    package static func arguments(of pid: pid_t) -> [[UInt8]]? {
        // Each argument ends in a NUL, an empty one too.
        readKernelFile("/proc/\(pid)/cmdline").map {
            $0.split(separator: 0, omittingEmptySubsequences: false).dropLast().map(Array.init)
        }
    }

    /// Whether a process belongs to the user of this one and sees the same mounts: its paths are this one's too.
    package static func sharesPaths(_ pid: pid_t) -> Bool {
        var (theirs, own, directory) = (stat(), stat(), stat())
        // /proc/PID belongs to the process' user (proc(5)); a namespace is one inode (namespaces(7)).
        return stat("/proc/\(pid)", &directory) == 0 && directory.st_uid == geteuid()
            && stat("/proc/\(pid)/ns/mnt", &theirs) == 0 && stat("/proc/self/ns/mnt", &own) == 0
            && theirs.st_ino == own.st_ino && theirs.st_dev == own.st_dev
    }

    /// The lines of `/proc/PID/cgroup`, or nil when they cannot be read.
    package static func controlGroups(of pid: pid_t) -> String? {
        readKernelFile("/proc/\(pid)/cgroup").map { String(decoding: $0, as: UTF8.self) }
    }
}

extension ProcessEntry {
    /// The entry of a text of `/proc/PID/stat` (proc(5)); nil for a text of another form.
    init?(_ pid: pid_t, stat text: [UInt8]) {
        // The command's name stands in parentheses and may hold parentheses too: fields count from the last one.
        guard let end = text.lastIndex(of: UInt8(ascii: ")")) else { return nil }
        let fields = text[(end + 1)...].split(separator: UInt8(ascii: " ")).map { String(decoding: $0, as: UTF8.self) }
        guard fields.count > 19, let parent = pid_t(fields[1]), let session = pid_t(fields[3]),
            let startTime = UInt64(fields[19])
        else { return nil }
        self.init(pid: pid, parent: parent, session: session, state: fields[0].first ?? "?", startTime: startTime)
    }
}
