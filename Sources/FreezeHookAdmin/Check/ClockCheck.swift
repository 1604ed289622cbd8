// SPDX-License-Identifier: Apache-2.0

import FreezeHookBase
import Glibc
import SystemPackage

/// Whether the times in log and history can be believed.
enum ClockCheck {
    // The year in which this was written: before it nothing can have been logged.
    private static let earliest: Double = 1_767_225_600

    static func findings(on machine: Machine) -> [Finding] {
        var findings: [Finding] = []
        if WallTime.now().seconds < earliest {
            findings.append(
                .warning(
                    "clock", "the clock shows \(WallTime.now().rfc3339), which is past: ages of backups are wrong",
                    repair: "timedatectl"))
        } else if machine.clockIsSynchronised == false {
            findings.append(
                .note(
                    "clock", "the clock follows no other: the times in log and history may differ from the host's",
                    repair: machine.installCommand(for: "chrony")))
        }
        let zone: FilePath = "/etc/localtime"
        if machine.tree.link(zone) != nil && !machine.tree.has(zone) {
            findings.append(
                .note(
                    SafeText.clean(zone),
                    "the time zone \(SafeText.clean(zone)) leads nowhere: log and history show UTC",
                    repair: "timedatectl set-timezone ZONE"))
        }
        return findings
    }
}
