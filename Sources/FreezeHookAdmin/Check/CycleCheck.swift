// SPDX-License-Identifier: Apache-2.0

import FreezeHook
import FreezeHookBase

/// The check that `status` has nothing to act on, such as a lost thaw.
enum CycleCheck {
    static func findings(on machine: Machine) -> [Finding] {
        var places = machine.locations
        guard let run = try? machine.tree.place(of: places.runDirectory),
            let state = try? machine.tree.place(of: places.stateDirectory)
        else { return [] }
        (places.runDirectory, places.stateDirectory) = (run, state)
        return Status(locations: places, settings: machine.settings).attentions.map { attention in
            .error(
                SafeText.clean(machine.locations.runDirectory), "\(attention)",
                repair: attention.repair ?? "fsfreeze-hook status")
        }
    }
}
