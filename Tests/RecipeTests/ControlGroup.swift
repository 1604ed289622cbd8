// SPDX-License-Identifier: Apache-2.0

import Glibc
import TestSupport

/// The unified hierarchy of control groups as a machine with systemd has it, for one machine of a test, with a group of
/// its own.
final class ControlGroup {
    let guest: RecipeGuest
    /// The group's name at the root of the hierarchy.
    let name: String

    init(on guest: RecipeGuest) throws {
        self.guest = guest
        name = "fsfreeze-hook-test-\(guest.namespace.firstProcess)"
        // systemd freezes units only when /sys/fs/cgroup/init.scope has cgroup.freeze.
        try guest.execute([
            "/bin/sh", "-ec",
            "mount -t cgroup2 none /sys/fs/cgroup; mkdir -p /sys/fs/cgroup/init.scope /sys/fs/cgroup/\(name)",
        ])
    }

    deinit {
        // rmdir(2) fails while a group has processes.
        _ = eventually(within: 10) {
            _ = try? guest.start(["find", root, "-depth", "-type", "d", "-exec", "rmdir", "{}", ";"]).wait(within: 10)
            return !Files.exists(guest.namespace.path(root))
        }
        _ = try? guest.start(["rmdir", "/sys/fs/cgroup/init.scope"]).wait(within: 10)
    }

    private var root: String { "/sys/fs/cgroup/\(name)" }

    /// A command that is started in the group.
    func inside(_ arguments: [String]) -> [String] {
        ["/bin/sh", "-c", "echo $$ >'\(root)/cgroup.procs' && exec \"$@\"", "sh"] + arguments
    }
}
