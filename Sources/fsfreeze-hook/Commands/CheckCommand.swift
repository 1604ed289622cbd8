// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import FreezeHookAdmin

/// `fsfreeze-hook check`
struct CheckCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Look for all that would make a backup inconsistent, or hang this machine.",
        discussion: """
            Nothing is changed or called. Each finding has a reason and what mends it. The exit status is 0 when there is \
            neither an error nor a warning, and 2 otherwise. Call it as root.
            """)

    @OptionGroup var output: OutputOptions

    @OptionGroup var options: MachineOptions

    func run() throws {
        try Ending.run { () throws(ProgramError) in
            let report = CheckReport(try options.machine())
            try output.show(report)
            return ExitStatus(isGood: report.good)
        }
    }
}
