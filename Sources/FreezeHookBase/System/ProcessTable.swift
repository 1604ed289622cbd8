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

    /// Whether a process has no rights but those of this one's user.
    private static func isOfOwnUser(_ pid: pid_t) -> Bool {
        let users = SystemProcess.users(status: readKernelFile("/proc/\(pid)/status") ?? [])
        return !users.isEmpty && users.allSatisfy { $0 == geteuid() }
    }

    /// Whether a process executes this program, or another version of it, has no rights but those of this one's user, and
    /// sees the same mounts: its paths are this one's too.
    ///
    /// Its arguments are anybody's: a setuid program gets them from its caller, and sudo(8) even has root's rights alone.
    package static func isOwnProgram(_ pid: pid_t) -> Bool {
        guard isOfOwnUser(pid), let name = programName(of: "\(pid)"), name == programName(of: "self") else {
            return false
        }
        var (theirs, own) = (stat(), stat())
        // A namespace is one inode (namespaces(7)).
        return stat("/proc/\(pid)/ns/mnt", &theirs) == 0 && stat("/proc/self/ns/mnt", &own) == 0
            && theirs.st_ino == own.st_ino && theirs.st_dev == own.st_dev
    }

    /// The last component of the path of the program that a process executes.
    private static func programName(of process: String) -> String? {
        FilePath("/proc/\(process)/exe").linkTarget.map(programName)
    }

    /// The last component of a program's path, as a link `/proc/PID/exe` has it.
    package static func programName(_ path: FilePath) -> String {
        let name = String(decoding: path.nameBytes, as: UTF8.self)
        // proc_pid_exe(5): an upgrade has removed the file.
        let end = " (deleted)"
        return name.hasSuffix(end) ? String(name.dropLast(end.count)) : name
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
