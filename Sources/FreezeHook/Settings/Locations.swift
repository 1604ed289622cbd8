// SPDX-License-Identifier: Apache-2.0

import FreezeHookBase
import Glibc
import SystemPackage

/// The files and directories of this run. No environment variable changes one: the program runs as root.
package struct Locations: Equatable, Sendable {
    /// The directory of the hooks.
    package var hookDirectory: FilePath
    /// The configuration file, which need not exist.
    package var configuration: FilePath
    /// The log of the command line, which replaces the configuration's `log-file`; nil when none is given.
    package var logFile: FilePath?
    /// The directory of the live state, on a tmpfs.
    package var runDirectory = FilePath("/run/fsfreeze-hook")
    /// The directory of history, counters and image marker.
    package var stateDirectory = FilePath("/var/lib/fsfreeze-hook")
    /// The file that qemu-ga keeps while it holds filesystems frozen; nil for those of the agents of this machine.
    package var agentState: FilePath?

    /// The name of the hook directory beside the program.
    package static let directoryName = "fsfreeze-hook.d"
    /// The hook directories of the distributions.
    package static let systemDirectories: [FilePath] = ["/etc/qemu/fsfreeze-hook.d", "/etc/qemu-ga/fsfreeze-hook.d"]

    /// The locations for a program called by `calledPath` (argv[0]); an option replaces one.
    package init(calledPath: FilePath, hookDirectory: FilePath? = nil, configuration: FilePath? = nil) {
        let directory = absolute(hookDirectory ?? Locations.hookDirectory(beside: calledPath))
        self.hookDirectory = directory
        let name = Array("fsfreeze-hook.conf".utf8)
        self.configuration = configuration.map(absolute) ?? FilePath(bytes: directory.parentBytes + name)
    }

    // The called path first, then its target: /etc/qemu/fsfreeze-hook may be a link to /usr/sbin/fsfreeze-hook.
    private static func hookDirectory(beside calledPath: FilePath) -> FilePath {
        let name = Array(directoryName.utf8)
        var candidates: [FilePath] = []
        if calledPath.bytes.contains(UInt8(ascii: "/")) {
            candidates.append(FilePath(bytes: calledPath.parentBytes + name))
            if let resolved = calledPath.withPlatformString({ realpath($0, nil) }) {
                candidates.append(FilePath(bytes: FilePath(platformString: resolved).parentBytes + name))
                free(resolved)
            }
        }
        candidates += systemDirectories
        return candidates.first(where: isDirectory) ?? systemDirectories[0]
    }

    private static func isDirectory(_ path: FilePath) -> Bool {
        var status = stat()
        return path.withPlatformString { stat($0, &status) } == 0 && status.st_mode & S_IFMT == S_IFDIR
    }
}
