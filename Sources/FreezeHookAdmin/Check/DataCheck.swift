// SPDX-License-Identifier: Apache-2.0

import FreezeHook
import FreezeHookBase
import FreezeHookRecipes
import SystemPackage

/// The check that a freeze and the image reach the data of every application.
enum DataCheck {
    static func findings(on machine: Machine) -> [Finding] {
        machine.applications.flatMap { findings(on: $0, machine) }
    }

    private static func findings(on application: Application, _ machine: Machine) -> [Finding] {
        // Many processes of a server share a view: reading it for each of 500 backends takes seconds.
        var views: [FilePath: MountTable] = [:]
        var seen: Set<String> = []
        return (application.processes + application.contained).flatMap { process -> [Finding] in
            let namespace = machine.tree.link(FilePath("/proc/\(process.pid)/ns/mnt"))
            let view =
                namespace.flatMap { views[$0] } ?? MountTable(ofProcess: "\(process.pid)", in: machine.tree)
                ?? machine.systemMounts
            if let namespace { views[namespace] = view }
            let directories = DataDirectories(of: process, links: application.recipe.header.dataLinks, in: machine.tree)
            return directories.paths.compactMap { directory in
                guard let mount = view.mount(of: directory),
                    seen.insert("\(process.container != nil) \(mount.device) \(mount.point)").inserted
                else { return nil }
                return Data(application: application, process: process, directory: directory, mount: mount)
                    .finding(on: machine)
            }
        }
    }
}

/// A directory of an application's data, and the mount that it lies on.
private struct Data {
    var application: Application
    var process: SystemProcess
    var directory: FilePath
    var mount: Mount

    private var place: String { SafeText.clean(directory) }

    /// The beginning of each sentence.
    private var what: String {
        let owner = process.container == nil ? "" : " of the container that process \(process.pid) runs in"
        return "\(application.recipe.name) has data in \(place)\(owner)"
    }

    private func error(_ reason: String, repair: String? = nil) -> Finding {
        .error(place, "\(what), \(reason)", repair: repair)
    }

    func finding(on machine: Machine) -> Finding? {
        switch mount.type {
        case "tmpfs", "ramfs":
            return error("in memory (\(mount.type)): no image contains it", repair: "move it to a disk")
        case "zfs":
            return error(
                "on ZFS, which qemu-ga does not freeze: the image has it as of another moment",
                repair: "take it from a snapshot of the dataset: zfs snapshot \(ShellText.quoted(mount.source))@NAME, "
                    + "in a hook's freeze")
        case "bcachefs":
            return error(
                "on bcachefs, which qemu-ga does not freeze: the image has it as of another moment",
                repair: "take it from a snapshot: bcachefs subvolume snapshot, in a hook's freeze")
        case "overlay", "aufs", "ecryptfs":
            // An engine's own layer lies on a disk, or the finding on the disk tells it.
            if process.container != nil { return nil }
            return .warning(
                place,
                "\(what), on \(mount.type), which qemu-ga does not freeze itself: it stands still only where the directory "
                    + "beneath is on a disk of this machine",
                repair: "keep the data in a directory on a disk")
        case _ where !mount.isFreezable:
            return error(
                "on \(mount.type) from \(SafeText.clean(mount.source.utf8)): it is not on this machine's disks, and an image does "
                    + "not contain it", repair: "back it up where it is kept")
        case _ where !machine.mounts.reaches(device: mount.device):
            return error(
                "on \(SafeText.clean(mount.source.utf8)), which qemu-ga cannot see: it does not freeze it",
                repair:
                    "let the unit of qemu-ga see the filesystem (ProtectHome=, InaccessiblePaths=, TemporaryFileSystem=)"
            )
        case _ where mount.isReadOnly:
            return .warning(
                place, "\(what), which is mounted read-only: what it writes is lost",
                repair: "mount -o remount,rw \(ShellText.quoted(mount.point))")
        default:
            return nil
        }
    }
}
