// SPDX-License-Identifier: Apache-2.0

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
}
