import ArgumentParser
import FreezeHook
import FreezeHookAdmin
import FreezeHookBase
import FreezeHookRecipes

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

    @Flag(help: "Print one JSON object.")
    var json = false

    @OptionGroup var options: LocationOptions

    func run() throws {
        let locations = options.locations
        ProcessSetup.run()
        // The JSON object stands alone on standard output.
        let descriptor: Int32 = json ? 2 : 1
        let terminal = Terminal(descriptor: descriptor)
        let isSilent = json && !terminal.isTerminal
        let progress = Progress(terminal, on: isSilent ? -1 : descriptor, hold: hold.duration)
        do {
            let context = try CycleContext(locations: locations)
            let rehearsal = Rehearsal(in: context, hold: hold.duration, observer: progress)
            let cycle = Result { () throws(RehearsalError) in try rehearsal.run() }
            // Before an error is shown, too.
            progress.finish()
            throw ExitCode(try show(cycle.get(), terminal))
        } catch let error as ExitCode {
            throw error
        } catch {
            throw ExitCode(Ending.show(Ending.result(of: error)))
        }
    }

    private func show(_ cycle: CycleSummary, _ terminal: Terminal) throws -> Int32 {
        if json { print(try JSONText.encode(cycle)) } else { Output.show(Timeline(cycle).lines(for: terminal)) }
        let isGood = cycle.verdict == Guarantee.applicationConsistent.rawValue
        return (isGood ? ExitStatus.done : .needsAttention).rawValue
    }
}
