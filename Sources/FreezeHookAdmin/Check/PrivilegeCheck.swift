// SPDX-License-Identifier: Apache-2.0

import Glibc

/// The check that the caller is root, and can look at everything.
enum PrivilegeCheck {
    static func findings(on machine: Machine) -> [Finding] {
        if geteuid() == 0 { return [] }
        return [
            .warning(
                "user \(geteuid())", "called by user \(geteuid()): what belongs to others could not be looked at",
                repair: "sudo fsfreeze-hook check")
        ]
    }
}
