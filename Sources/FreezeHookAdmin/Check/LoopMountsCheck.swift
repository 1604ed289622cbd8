// SPDX-License-Identifier: Apache-2.0

import FreezeHookBase
import SystemPackage

/// The check that no loop mount is frozen after the filesystem of its file: the sync of its freeze would wait for ever.
enum LoopMountsCheck {
    static func findings(on machine: Machine) -> [Finding] {
        let order = machine.mounts.freezeOrder
        var seen: Set<String> = []
        return machine.mounts.mounts.compactMap { mount in
            guard mount.isFreezable, !mount.isReadOnly, let own = order.firstIndex(of: mount.device) else { return nil }
            for file in LoopFiles(below: mount, in: machine.tree).paths {
                guard let below = machine.mounts.mount(of: machine.tree.resolved(file)), below.isFreezable,
                    let other = order.firstIndex(of: below.device), other < own, seen.insert(mount.device).inserted
                else { continue }
                return finding(mount, file: file, below)
            }
            return nil
        }
    }

    private static func finding(_ mount: Mount, file: FilePath, _ below: Mount) -> Finding {
        let (point, beneath) = (SafeText.clean(mount.point), SafeText.clean(below.point))
        let place = ShellText.quoted(mount.point)
        return .error(
            point,
            "a freeze hangs at \(point): qemu-ga freezes \(beneath), on which its file \(SafeText.clean(file)) lies, "
                + "before it (it takes mounts from the last to the first)",
            repair:
                "mount it again, after \(beneath): umount \(place) && mount \(place); or have the host freeze a list "
                + "without it (guest-fsfreeze-freeze-list)")
    }
}
