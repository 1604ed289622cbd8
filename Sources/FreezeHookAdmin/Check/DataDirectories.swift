// SPDX-License-Identifier: Apache-2.0

import FreezeHook
import FreezeHookBase
import FreezeHookRecipes
import Glibc
import SystemPackage

/// The directories of a server's data: the working directory of its process, and the directories of its files that are
/// open for writing.
struct DataDirectories {
    /// The directories as the process sees them, with links resolved, each once.
    let paths: [FilePath]

    // Servers write sockets, logs and temporary files there, and no data.
    private static let withoutData = ["/dev", "/proc", "/sys", "/run", "/var/run", "/tmp", "/var/tmp", "/var/log"]

    /// The data directories of a process on the system of this tree.
    ///
    /// - Parameter links: the links within a working directory that lead to further data.
    init(of process: SystemProcess, links: [String], in tree: SystemTree) {
        let place = FilePath("/proc/\(process.pid)")
        var directories: [FilePath] = []
        if let current = tree.link(place.appending("cwd")) {
            directories.append(current)
            // A link within a container leads to a path of the container, and not of this system.
            let links = process.container == nil ? links : []
            for link in links.map({ current.appending($0) }) where tree.has(link) {
                directories.append(tree.resolved(link))
                directories += tree.names(in: link).compactMap { name in
                    tree.link(link.appending(name)).map { tree.resolved(link.pushing($0)) }
                }
            }
        }
        directories += tree.names(in: place.appending("fd")).compactMap { Self.openForWriting(place, $0, in: tree) }
        var found: [FilePath] = []
        for directory in directories where Self.isData(directory) && !found.contains(directory) {
            found.append(directory)
        }
        paths = found
    }

    /// The directory of the file that a descriptor writes to; nil for a descriptor that only reads, or of no file.
    private static func openForWriting(_ process: FilePath, _ descriptor: String, in tree: SystemTree) -> FilePath? {
        // proc_pid_fd(5): a socket's link reads socket:[12345], that of a removed file ends in "(deleted)".
        guard let file = tree.link(process.appending("fd").appending(descriptor)), file.isAbsolute,
            !file.string.hasSuffix(" (deleted)"),
            let lines = tree.bytes(of: process.appending("fdinfo").appending(descriptor)),
            let number = kernelValue("flags:", in: lines).flatMap({ Int32($0, radix: 8) }),
            number & O_ACCMODE != O_RDONLY
        else { return nil }
        return file.removingLastComponent()
    }

    private static func isData(_ directory: FilePath) -> Bool {
        let path = directory.string
        return path != "/" && !withoutData.contains { path == $0 || path.hasPrefix($0 + "/") }
    }
}
