// SPDX-License-Identifier: Apache-2.0

import FreezeHook
import FreezeHookBase
import SystemPackage

/// The check that the configuration can be used, and that there is no other one.
enum ConfigurationCheck {
    static func findings(on machine: Machine) -> [Finding] {
        let used = machine.locations.configuration
        let path = SafeText.clean(used)
        var findings: [Finding] = []
        if let problem = machine.configurationProblem {
            findings.append(
                .error(
                    path, "the configuration is invalid, and freeze and thaw run with the defaults: \(problem)",
                    repair: "mend \(path)"))
        }
        let directory = machine.locations.hookDirectory
        for other in Locations.systemDirectories.map(Locations.configuration(beside:))
        where machine.tree.resolved(other) != machine.tree.resolved(used) && machine.tree.has(other) {
            let there = SafeText.clean(other)
            findings.append(
                .warning(
                    there,
                    "\(there) is not read: hooks are looked for in \(SafeText.clean(directory)), "
                        + "and the configuration in \(path)",
                    repair: "move what it says to \(path)"))
        }
        return findings
    }
}
