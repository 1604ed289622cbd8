// SPDX-License-Identifier: Apache-2.0

import FreezeHookBase
import SystemPackage

/// The check that no loop mount is frozen after the filesystem of its file: the sync of its freeze would wait for ever.
enum LoopMountsCheck {
    static func findings(on machine: Machine) -> [Finding] {
        let order = machine.mounts.freezeOrder
        var seen: Set<String> = []
        return machine.mounts.mounts.compactMap { mount in
            guard mount.isFreezable, !mount.isReadOnly, let file = backingFile(of: mount, machine),
                let below = machine.mounts.mount(of: machine.tree.resolved(FilePath(file))), below.isFreezable,
                let own = order.firstIndex(of: mount.device), let other = order.firstIndex(of: below.device),
                other < own, seen.insert(mount.device).inserted
            else { return nil }
            let (point, beneath) = (SafeText.clean(mount.point), SafeText.clean(below.point))
            let place = ShellText.quoted(mount.point)
            return .error(
                point,
                "a freeze hangs at \(point): qemu-ga freezes \(beneath), on which its file \(SafeText.clean(file.utf8)) lies, "
                    + "before it (it takes mounts from the last to the first)",
                repair:
                    "mount it again, after \(beneath): umount \(place) && mount \(place); or have the host freeze a list "
                    + "without it (guest-fsfreeze-freeze-list)")
        }
    }

    /// The file behind a loop device, from /sys/block/loopN; nil for another device and for a removed file.
    private static func backingFile(of mount: Mount, _ machine: Machine) -> String? {
        guard let device = mount.source.split(separator: "/").last, device.hasPrefix("loop") else { return nil }
        // A partition of a loop device is called loop0p1.
        let number = device.dropFirst("loop".count).prefix(while: \.isNumber)
        guard let file = machine.tree.line(of: FilePath("/sys/block/loop\(number)/loop/backing_file")) else {
            return nil
        }
        return file.hasSuffix(" (deleted)") ? nil : file
    }
}
