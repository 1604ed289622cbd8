// SPDX-License-Identifier: Apache-2.0

import CLinux
import FreezeHookBase
import Glibc
import SystemPackage

/// Thaws filesystems as qemu-ga does: every mount in mount order, for guests that must not hang on a lost host.
enum FilesystemThaw {
    // Freezing nests on some kernels: each mount is thawed until it says that it is not frozen.
    private static let repeatLimit = 16

    /// Thaws what is frozen; returns the mount points that were.
    static func run() -> [FilePath] {
        let points = MountTable.own.mounts.filter(\.isFreezable).map(\.point)
        return points.filter { path in
            guard let directory = try? Descriptor(opening: path, O_RDONLY | O_NONBLOCK) else { return false }
            var count = 0
            while count < repeatLimit && clinux_thaw_filesystem(directory.number) == 0 { count += 1 }
            return count > 0
        }
    }
}
