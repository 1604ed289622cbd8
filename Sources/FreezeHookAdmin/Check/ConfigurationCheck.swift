// SPDX-License-Identifier: Apache-2.0

import FreezeHook
import FreezeHookBase

/// The check that the configuration can be used.
enum ConfigurationCheck {
    static func findings(on machine: Machine) -> [Finding] {
        guard let problem = machine.configurationProblem else { return [] }
        let path = SafeText.clean(machine.locations.configuration)
        return [
            .error(
                path, "the configuration is invalid, and freeze and thaw run with the defaults: \(problem)",
                repair: "mend \(path)")
        ]
    }
}
