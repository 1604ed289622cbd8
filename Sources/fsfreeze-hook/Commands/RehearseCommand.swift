// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import FreezeHook
import FreezeHookAdmin
import FreezeHookBase

/// `fsfreeze-hook rehearse`
struct RehearseCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rehearse",
        abstract: "Run a whole cycle of the hooks without freezing a filesystem, and show how it went.",
        discussion: """
            Applications are held for a moment, as in a backup; nothing is imaged, and no filesystem is frozen. Ctrl-C thaws \
            them at once. A backup that comes meanwhile goes first. The exit status is 0 when the cycle is \
            application-consistent, 2 when it is not, and 75 when another cycle is going on.
            """)

    @Option(help: "How long the applications are held.")
    var hold: TimeOption = TimeOption(.seconds(2))

    @OptionGroup var output: OutputOptions

    @OptionGroup var options: LocationOptions

    func run() throws {
        let locations = options.locations
        ProcessSetup.run()
        // Progress goes to standard error beside a JSON object, which stands alone on standard output.
        let descriptor: Int32 = output.json ? 2 : 1
        let terminal = Terminal(descriptor: descriptor)
        let isSilent = output.json && !terminal.isTerminal
        let progress = Progress(terminal, on: isSilent ? -1 : descriptor, hold: hold.duration)
        try Ending.run { () throws(ProgramError) in
            let context = CycleContext(locations: locations)
            let rehearsal = Rehearsal(in: context, hold: hold.duration, observer: progress)
            let result = Result { () throws(RehearsalError) in try rehearsal.run() }
            // The line of progress is cleared before an error is shown, too.
            progress.finish()
            let cycle = try attempt(ProgramError.rehearsal, try result.get())
            try output.show(Timeline(cycle))
            if let words = RehearsalDomain.difference(AgentDomain.ofThisMachine()) {
                _ = Ending.show(CommandResult(.done, words))
            }
            return ExitStatus(isGood: cycle.verdict == .applicationConsistent)
        }
    }
}
