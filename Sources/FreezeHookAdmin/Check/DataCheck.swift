// SPDX-License-Identifier: Apache-2.0

import FreezeHookBase
import FreezeHookRecipes
import SystemPackage

/// The check that a freeze and the image reach the data of every application.
enum DataCheck {
    static func findings(on machine: Machine) -> [Finding] {
        machine.applications.flatMap { application in
            var seen: Set<FilePath> = []
            return DataDirectories(of: application, in: machine.tree).paths.compactMap { directory -> Finding? in
                guard let mount = machine.mounts.mount(of: directory), seen.insert(mount.point).inserted else {
                    return nil
                }
                return finding(application, SafeText.clean(directory), mount)
            }
        }
    }

    private static func finding(_ application: Application, _ directory: String, _ mount: Mount) -> Finding? {
        let name = application.recipe.name
        func error(_ reason: String, repair: String? = nil) -> Finding {
            .error(directory, "\(name) has data in \(directory), \(reason)", repair: repair)
        }
        switch mount.type {
        case "tmpfs", "ramfs":
            return error("in memory (\(mount.type)): no image contains it", repair: "move it to a disk")
        case "zfs":
            return error(
                "on ZFS, which qemu-ga does not freeze: the image has it as of another moment",
                repair: "take it from a snapshot of the dataset: zfs snapshot \(ShellText.quoted(mount.source))@NAME, "
                    + "in a hook's freeze")
        case "overlay", "aufs":
            return .warning(
                directory,
                "\(name) has data in \(directory), on \(mount.type), which qemu-ga does not freeze itself: they stand still only "
                    + "where the directory beneath is on a disk of this machine",
                repair: "keep the data in a volume on a disk")
        case _ where !mount.isFreezable:
            return error(
                "on \(mount.type) from \(SafeText.clean(mount.source.utf8)): it is not on this machine's disks, and an image does "
                    + "not contain it", repair: "back it up where it is kept")
        case _ where mount.isReadOnly:
            return .warning(
                directory, "\(name) has data in \(directory), which is mounted read-only: what it writes is lost",
                repair: "mount -o remount,rw \(ShellText.quoted(mount.point))")
        default:
            return nil
        }
    }
}
