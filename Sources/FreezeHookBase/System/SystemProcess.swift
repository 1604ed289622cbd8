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
    /// The users whose rights it has (credentials(7)): real, effective, saved and the filesystem's; none when `/proc` does
    /// not say.
    package var users: [uid_t]
    /// The container of the process, of whatever kind; nil for a process of the system itself.
    package var container: Container?
    /// The start in clock ticks since boot.
    package var startTime: UInt64
    /// The start in seconds since 1970; nil when `/proc` does not say.
    package var started: Double?

    /// Whether it has no rights but root's.
    package var isRoots: Bool { !users.isEmpty && users.allSatisfy { $0 == 0 } }

    // Far above what a server or an agent is started with; a user's processes may have megabytes of arguments each.
    private static let commandLineLimit = 16 << 10
    // Clock ticks of a second: USER_HZ, which is 100 on every architecture that qemu-ga runs on.
    private static let ticksPerSecond = 100.0

    /// Every process that can be read, without kernel threads.
    package static func all(in tree: SystemTree) -> [SystemProcess] {
        let own = tree.link("/proc/self/ns/pid")
        let boot = bootTime(in: tree)
        return tree.names(in: "/proc").compactMap { name in
            guard let pid = pid_t(name), let comm = tree.line(of: FilePath("/proc/\(name)/comm")),
                let words = tree.bytes(of: FilePath("/proc/\(name)/cmdline"), limit: commandLineLimit), !words.isEmpty
            else { return nil }
            let arguments = words.split(separator: 0, omittingEmptySubsequences: false).dropLast(
                words.last == 0 ? 1 : 0)
            // A PID namespace of its own marks a container: systemd makes one for a service only by PrivatePIDs=.
            let namespace = tree.link(FilePath("/proc/\(name)/ns/pid"))
            let isContained = own != nil && namespace != nil && own != namespace
            let stat = tree.bytes(of: FilePath("/proc/\(name)/stat")).flatMap { ProcessEntry(pid, stat: $0) }
            guard let stat, stat.state != "Z" else { return nil }
            return SystemProcess(
                pid: pid, name: comm, arguments: arguments.map { String(decoding: $0, as: UTF8.self) },
                users: users(status: tree.bytes(of: FilePath("/proc/\(name)/status")) ?? []),
                container: isContained ? container(of: name, in: tree) : nil, startTime: stat.startTime,
                started: boot.map { $0 + Double(stat.startTime) / ticksPerSecond })
        }
    }

    /// The users in a text of `/proc/PID/status` (proc(5)); none in one of another form.
    package static func users(status text: [UInt8]) -> [uid_t] {
        let words = kernelValue("Uid:", in: text)?.split { $0 == " " || $0 == "\t" } ?? []
        let users = words.compactMap { uid_t($0) }
        return users.count == 4 ? users : []
    }

    private static func container(of process: String, in tree: SystemTree) -> Container {
        let groups = tree.text(of: FilePath("/proc/\(process)/cgroup")) ?? ""
        var container = Container(controlGroups: groups)
        container.isOfRoot = groups.split(separator: "\n").contains { line in
            // cgroups(7): hierarchy, controllers, path.
            let fields = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false).map(String.init)
            guard fields.count == 3 else { return false }
            let components = FilePath(fields[2]).components
            guard let own = components.firstIndex(where: { container.isNamed(by: $0.string) }) else { return false }
            return isOfRoot(FilePath(root: "/", components[...own]), fields[1], in: tree)
        }
        return container
    }

    /// Whether root has made a control group, and all above it: whoever makes a directory owns it, also one of any name
    /// below a group that was delegated to him.
    private static func isOfRoot(_ group: FilePath, _ controllers: String, in tree: SystemTree) -> Bool {
        let top: FilePath = "/sys/fs/cgroup"
        let hierarchies: [FilePath] =
            controllers.isEmpty
            ? [top, top.appending("unified")]
            : [top.appending(controllers.hasPrefix("name=") ? String(controllers.dropFirst(5)) : controllers)]
        return hierarchies.contains { hierarchy in
            var place = hierarchy
            return group.isLexicallyNormal
                && group.components.allSatisfy { component in
                    place.append(component)
                    guard let status = tree.status(of: place), status.st_mode & S_IFMT == S_IFDIR else { return false }
                    return status.st_uid == 0 && status.st_mode & (S_IWOTH | S_IWGRP) == 0
                }
        }
    }

    private static func bootTime(in tree: SystemTree) -> Double? {
        let line = tree.text(of: "/proc/stat")?.split(separator: "\n").first { $0.hasPrefix("btime ") }
        return line.flatMap { Double($0.dropFirst("btime ".count)) }
    }
}
