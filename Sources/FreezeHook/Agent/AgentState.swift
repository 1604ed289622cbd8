// SPDX-License-Identifier: Apache-2.0

import FreezeHookBase
import Glibc
import SystemPackage

/// The files by which qemu-ga notes that it holds filesystems frozen.
package struct AgentState: Sendable {
    /// The files that are looked at; any of them counts.
    package let files: [FilePath]
    private let tree: SystemTree

    /// The name of the file in qemu-ga's state directory.
    package static let name = "qga.state.isfrozen"
    /// The state directories that a qemu-ga is built with: those of distributions, and of its own build by prefix.
    package static let directories: [FilePath] = ["/run", "/var/run", "/usr/local/var/run", "/usr/var/run"]

    /// The files of every qemu-ga that runs, of the one that is configured, and of those with default directories.
    package init(in tree: SystemTree = .machine) {
        self.tree = tree
        let configured = AgentService(in: tree)?.options(in: tree).stateDirectory
        let all = Self.directories + ([configured].compactMap(\.self) + Self.running(in: tree)).filter(\.isAbsolute)
        var files: [FilePath] = []
        for directory in all {
            let file = directory.appending(Self.name)
            if !files.contains(file) { files.append(file) }
        }
        self.files = files
    }

    /// One file alone.
    package init(file: FilePath) {
        tree = .machine
        files = [file]
    }

    /// Whether a file is there that root has made: in a directory that others write anybody could make one.
    package var isFrozen: Bool {
        files.contains { file in
            // A link is nothing that qemu-ga makes.
            guard tree.link(file) == nil, let status = tree.status(of: file) else { return false }
            return status.st_mode & S_IFMT == S_IFREG && (status.st_uid == 0 || status.st_uid == geteuid())
        }
    }

    /// The state directories that the processes of qemu-ga name.
    ///
    /// A name in the list of processes is anybody's: only a process of root counts, whose program is called qemu-ga and
    /// nobody else could have written, and which runs in no container.
    private static func running(in tree: SystemTree) -> [FilePath] {
        guard let own = tree.link("/proc/self/ns/pid") else { return [] }
        return tree.names(in: "/proc").compactMap { name -> FilePath? in
            guard let pid = pid_t(name), isAgent(pid, in: tree),
                tree.link(FilePath("/proc/\(name)/ns/pid")) == own,
                let words = tree.bytes(of: FilePath("/proc/\(name)/cmdline"))
            else { return nil }
            let arguments = words.split(separator: 0, omittingEmptySubsequences: false).dropFirst().map {
                String(decoding: $0, as: UTF8.self)
            }
            return AgentOptions(arguments: arguments, configuration: configuration(of: pid, in: tree), in: tree)
                .stateDirectory
        }
    }

    private static func isAgent(_ pid: pid_t, in tree: SystemTree) -> Bool {
        let exe = FilePath("/proc/\(pid)/exe")
        guard tree.link(exe).map(ProcessTable.programName) == "qemu-ga",
            let status = tree.bytes(of: FilePath("/proc/\(pid)/status"))
        else { return false }
        let users = SystemProcess.users(status: status)
        // Root first: a user's program may lie on a filesystem that he keeps from answering.
        guard !users.isEmpty, users.allSatisfy({ $0 == 0 }), let program = tree.status(of: exe) else { return false }
        return program.st_uid == 0 && program.st_mode & (S_IWGRP | S_IWOTH | S_ISUID) == 0
    }

    /// The configuration file that the environment of a process names; nil for none.
    package static func configuration(of pid: pid_t, in tree: SystemTree) -> FilePath? {
        let prefix = Array("\(AgentService.configurationKey)=".utf8)
        let variable = tree.bytes(of: FilePath("/proc/\(pid)/environ"))?.split(separator: 0).first {
            $0.starts(with: prefix)
        }
        return variable.map { FilePath(bytes: $0.dropFirst(prefix.count)) }
    }
}
