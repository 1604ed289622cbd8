// SPDX-License-Identifier: Apache-2.0

import FreezeHook
import FreezeHookBase
import FreezeHookRecipes
import Glibc
import SystemPackage

/// Where the processes of an application keep data: where they work, and where they have files open for writing.
struct DataDirectories {
    /// The directories, without links, each once.
    let paths: [FilePath]

    // What servers write there is not their data.
    private static let others = ["/dev", "/proc", "/sys", "/run", "/var/run", "/tmp", "/var/tmp", "/var/log"]

    /// The data directories of an application on the system of this tree.
    init(of application: Application, in tree: SystemTree) {
        var found: [FilePath] = []
        for process in application.processes {
            let place = FilePath("/proc/\(process.pid)")
            var directories: [FilePath] = []
            if let current = tree.link(place.appending("cwd")) {
                directories.append(current)
                for link in application.recipe.header.dataLinks.map({ current.appending($0) }) where tree.has(link) {
                    directories.append(tree.resolved(link))
                    directories += tree.names(in: link).compactMap { name in
                        tree.link(link.appending(name)).map { tree.resolved(link.pushing($0)) }
                    }
                }
            }
            directories += tree.names(in: place.appending("fd")).compactMap {
                Self.openForWriting(place, $0, in: tree)
            }
            for directory in directories where Self.isData(directory) && !found.contains(directory) {
                found.append(directory)
            }
        }
        paths = found
    }

    /// The directory of the file that the descriptor writes to.
    private static func openForWriting(_ process: FilePath, _ descriptor: String, in tree: SystemTree) -> FilePath? {
        // A socket is called socket:[12345], and what has no name any more ends in "(deleted)".
        guard let file = tree.link(process.appending("fd").appending(descriptor)), file.isAbsolute,
            !file.string.hasSuffix(" (deleted)"),
            let lines = tree.text(of: process.appending("fdinfo").appending(descriptor)),
            let flags = lines.split(separator: "\n").first(where: { $0.hasPrefix("flags:") }),
            let number = Int32(trimmed(flags.dropFirst("flags:".count)), radix: 8), number & O_ACCMODE != O_RDONLY
        else { return nil }
        return file.removingLastComponent()
    }

    private static func isData(_ directory: FilePath) -> Bool {
        let path = directory.string
        return path != "/" && !others.contains { path == $0 || path.hasPrefix($0 + "/") }
    }
}
