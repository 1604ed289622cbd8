// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import FreezeHookAdmin
import SystemPackage

/// The options of `check` and `setup` for the system to look at.
struct MachineOptions: ParsableArguments {
    @Option(
        help: "The directory of another system to look at, as for an image that is being built.", completion: .directory
    )
    var root: String?

    @Option(help: "The directory of the recipes (default: the one installed with the program).", completion: .directory)
    var recipeDir: String?

    @OptionGroup var locations: LocationOptions

    /// Looks at the system. Throws when the program is not installed in it.
    func machine() throws(ProgramError) -> Machine {
        try attempt(
            ProgramError.notInstalled,
            try Machine(
                root: root.map { FilePath($0) }, locations: locations.locations,
                hookDirectory: locations.hookDir.map { FilePath($0) },
                configuration: locations.config.map { FilePath($0) },
                recipeDirectory: recipeDir.map { FilePath($0) }))
    }
}
