// SPDX-License-Identifier: Apache-2.0

import FreezeHook
import FreezeHookBase
import SystemPackage

extension Machine {
    /// The past cycles of the system, the oldest first; none when they cannot be read.
    package var pastCycles: [CycleSummary] {
        guard let place = try? tree.place(of: locations.stateDirectory) else { return [] }
        return (try? History(directory: StateDirectory(path: place), limit: .max).cycles()) ?? []
    }
}
