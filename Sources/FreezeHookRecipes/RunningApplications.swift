// SPDX-License-Identifier: Apache-2.0

import FreezeHook
import FreezeHookBase

/// The names of the processes of this system, as `/proc/PID/comm` has them.
package struct RunningApplications: Sendable {
    private let names: Set<String>

    /// Processes of these names.
    package init(names: Set<String>) {
        self.names = names
    }

    /// The processes that run now, those of containers left out.
    package static func now() -> RunningApplications {
        let processes = SystemProcess.all(in: .machine).filter { $0.container == nil }
        return RunningApplications(names: Set(processes.map(\.name)))
    }

    /// Whether the application of a recipe runs.
    package func include(applicationOf recipe: Recipe) -> Bool {
        recipe.header.processes.contains(where: names.contains)
    }
}
