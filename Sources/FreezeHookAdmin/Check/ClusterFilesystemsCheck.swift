// SPDX-License-Identifier: Apache-2.0

import FreezeHookBase

/// The check that a freeze of this machine does not hold other machines: a cluster's filesystem freezes on all of them.
enum ClusterFilesystemsCheck {
    static func findings(on machine: Machine) -> [Finding] {
        var seen: Set<String> = []
        return machine.mounts.mounts.compactMap { mount in
            guard ["gfs2", "ocfs2"].contains(mount.type), mount.isFreezable, seen.insert(mount.device).inserted else {
                return nil
            }
            let point = SafeText.clean(mount.point)
            return .warning(
                point,
                "\(point) is on \(mount.type), a cluster's filesystem: a freeze of this machine freezes it for every machine of "
                    + "the cluster",
                repair: "have the host freeze a list without it (guest-fsfreeze-freeze-list), or one machine at a time")
        }
    }
}
