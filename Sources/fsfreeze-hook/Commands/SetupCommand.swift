import ArgumentParser
import FreezeHook
import FreezeHookAdmin
import FreezeHookBase
import FreezeHookRecipes

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

    @Flag(help: "Print one JSON object.")
    var json = false

    @OptionGroup var options: MachineOptions

    func validate() throws {
        if apply && undo { throw ValidationError("--apply and --undo exclude each other") }
    }

    func run() throws {
        try Ending.showingErrors {
            var setup = try Setup(try options.machine())
            let report = try undo ? setup.undo() : apply ? setup.apply() : setup.plan()
            if json {
                print(try JSONText.encode(report))
            } else {
                Output.show(report.lines(for: Terminal(descriptor: 1)))
            }
            throw ExitCode((report.isGood ? ExitStatus.done : .needsAttention).rawValue)
        }
    }
}
