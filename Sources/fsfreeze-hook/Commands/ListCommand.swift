// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import FreezeHook
import FreezeHookAdmin

/// `fsfreeze-hook list`
struct ListCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "Show every entry of the hook directory: what runs, what does not and why.")

    @OptionGroup var output: OutputOptions

    @OptionGroup var options: LocationOptions

    func run() throws {
        try Ending.run { () throws(ProgramError) in
            let locations = options.locations
            let settings = try attempt(ProgramError.configuration, try SettingsFile.read(locations.configuration))
            let directory = HookDirectory(path: locations.hookDirectory, settings: settings)
            try output.show(try attempt(ProgramError.hookList, try HookList(directory)))
            return .done
        }
    }
}
