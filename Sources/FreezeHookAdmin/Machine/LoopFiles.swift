// SPDX-License-Identifier: Apache-2.0

import FreezeHookBase
import SystemPackage

/// The files behind the loop devices that a filesystem lies on, also below partitions and the device mapper (LUKS, LVM).
struct LoopFiles {
    /// The files, each once.
    let paths: [FilePath]

    /// The files below the device of a mount, by `/sys/dev/block` and `/sys/class/block`.
    init(below mount: Mount, in tree: SystemTree) {
        let blocks: FilePath = "/sys/class/block"
        var waiting = [tree.resolved(FilePath("/sys/dev/block/\(mount.device)"))]
        // A filesystem of several devices, such as btrfs, has a number of its own.
        if let name = mount.source.split(separator: "/").last {
            waiting.append(tree.resolved(blocks.appending("\(name)")))
        }
        if let target = tree.link(FilePath(mount.source)) {
            waiting.append(tree.resolved(blocks.appending(target.name)))
        }
        var seen: Set<FilePath> = []
        var found: [FilePath] = []
        while let device = waiting.popLast() {
            guard seen.insert(device).inserted else { continue }
            waiting += tree.names(in: device.appending("slaves")).map { tree.resolved(blocks.appending($0)) }
            // The directory of a partition lies within that of its disk.
            if tree.has(device.appending("partition")) { waiting.append(device.removingLastComponent()) }
            if let file = tree.line(of: device.appending("loop").appending("backing_file")),
                !file.hasSuffix(" (deleted)"), !found.contains(FilePath(file))
            {
                found.append(FilePath(file))
            }
        }
        paths = found
    }
}
