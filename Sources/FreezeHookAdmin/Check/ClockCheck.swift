// SPDX-License-Identifier: Apache-2.0

import FreezeHookBase
import Glibc
import SystemPackage

/// The check that the clock and the time zone give log and history the right times.
enum ClockCheck {
    // The first second of 2026: no version of the program is older, so an earlier clock is wrong.
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
