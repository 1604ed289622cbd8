// SPDX-License-Identifier: Apache-2.0

import Glibc
import SystemPackage

/// A process of a system, by that system's `/proc` (proc(5)).
package struct SystemProcess: Equatable, Sendable {
    /// The process id in that `/proc`.
    package var pid: pid_t
    /// The name of `/proc/PID/comm`.
    package var name: String
    /// The command line, the program first.
    package var arguments: [String]
    /// The container of the process; nil for a process of the system itself.
    package var container: Container?
    /// The start in seconds since 1970; nil when `/proc` does not say.
    package var started: Double?

    // Clock ticks of a second: USER_HZ, which is 100 on every architecture that qemu-ga runs on.
    private static let ticksPerSecond = 100.0

    /// Every process that can be read, without kernel threads.
    package static func all(in tree: SystemTree) -> [SystemProcess] {
        let own = tree.link("/proc/self/ns/pid")
        let boot = bootTime(in: tree)
        return tree.names(in: "/proc").compactMap { name in
            guard let pid = pid_t(name), let comm = tree.line(of: FilePath("/proc/\(name)/comm")),
                let words = tree.bytes(of: FilePath("/proc/\(name)/cmdline")), !words.isEmpty
            else { return nil }
            let arguments = words.split(separator: 0, omittingEmptySubsequences: false).dropLast(
                words.last == 0 ? 1 : 0)
            // A PID namespace of its own marks a container: systemd makes one for a service only by PrivatePIDs=.
            let namespace = tree.link(FilePath("/proc/\(name)/ns/pid"))
            let isContained = own != nil && namespace != nil && own != namespace
            return SystemProcess(
                pid: pid, name: comm, arguments: arguments.map { String(decoding: $0, as: UTF8.self) },
                container: isContained
                    ? Container(controlGroups: tree.text(of: FilePath("/proc/\(name)/cgroup")) ?? "") : nil,
                started: boot.flatMap { boot in
                    tree.bytes(of: FilePath("/proc/\(name)/stat")).flatMap { ProcessEntry(pid, stat: $0) }
                        .map { boot + Double($0.startTime) / ticksPerSecond }
                })
        }
    }

    private static func bootTime(in tree: SystemTree) -> Double? {
        let line = tree.text(of: "/proc/stat")?.split(separator: "\n").first { $0.hasPrefix("btime ") }
        return line.flatMap { Double($0.dropFirst("btime ".count)) }
    }
}
