// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import FreezeHookAdmin
import FreezeHookBase

/// `fsfreeze-hook setup`
struct SetupCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "setup",
        abstract: "Enable the recipes of the applications found here, and have qemu-ga call the program.",
        discussion: """
            Without an option it shows what it would change, as a diff. The exit status is 0 when nothing is left to do, and 2 \
            otherwise. Files that somebody else has changed are never overwritten, and nothing is restarted.
            """)

    @Flag(help: "Change it.")
    var apply = false

    @Flag(help: "Take back what 'setup --apply' has changed.")
    var undo = false

    @OptionGroup var output: OutputOptions

    @OptionGroup var options: MachineOptions

    func validate() throws {
        if apply && undo { throw ValidationError("--apply and --undo exclude each other") }
    }

    func run() throws {
        try Ending.run { () throws(ProgramError) in
            let machine = try options.machine()
            // Without its recipes a set-up would have the agent call the program, and hold nothing.
            if let error = machine.recipesError { throw .recipeDirectory(error) }
            var setup = try attempt(ProgramError.setup, try Setup(machine))
            let report = try attempt(
                ProgramError.setup, try undo ? setup.undo() : apply ? setup.apply() : setup.plan())
            try output.show(report)
            return ExitStatus(isGood: report.isGood)
        }
    }
}
