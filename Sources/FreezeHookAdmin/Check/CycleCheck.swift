// SPDX-License-Identifier: Apache-2.0

import FreezeHook
import FreezeHookBase

/// The check that `status` has nothing to act on, such as a lost thaw.
enum CycleCheck {
    static func findings(on machine: Machine) -> [Finding] {
        var places = machine.locations
        places.runDirectory = machine.tree.place(of: places.runDirectory)
        places.stateDirectory = machine.tree.place(of: places.stateDirectory)
        return Status(locations: places, settings: machine.settings).attentions.map { attention in
            .error(
                SafeText.clean(machine.locations.runDirectory), "\(attention)",
                repair: attention.repair ?? "fsfreeze-hook status")
        }
    }
}
