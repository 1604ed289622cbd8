// SPDX-License-Identifier: Apache-2.0

import FreezeHookBase
import SystemPackage

/// The check that SELinux and AppArmor let qemu-ga's hooks reach applications.
enum ConfinementCheck {
    static func findings(on machine: Machine) -> [Finding] {
        SELinuxCheck.findings(on: machine) + appArmor(machine)
    }

    private static func appArmor(_ machine: Machine) -> [Finding] {
        guard let process = machine.agent.processes.first else { return [] }
        let attributes = FilePath("/proc/\(process.pid)/attr")
        let places = [attributes.appending("apparmor").appending("current"), attributes.appending("current")]
        // AppArmor's line reads "/usr/sbin/qemu-ga (enforce)"; SELinux puts a label without a mode into the second
        // file.
        guard let line = places.lazy.compactMap(machine.tree.line).first(where: { !$0.isEmpty }),
            line.hasSuffix(" (enforce)")
        else { return [] }
        let profile = String(line.dropLast(" (enforce)".count))
        let name = SafeText.clean(profile.utf8)
        return [
            .warning(
                name,
                "AppArmor confines qemu-ga and what it calls by the profile \(name): hooks may be denied what they need",
                repair:
                    "let the profile execute \(SafeText.clean(machine.program)) unconfined (Ux), or: aa-complain \(ShellText.quoted(profile, always: true))"
            )
        ]
    }
}
