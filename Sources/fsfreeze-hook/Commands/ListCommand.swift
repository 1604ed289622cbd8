import ArgumentParser
import FreezeHook
import FreezeHookAdmin
import FreezeHookBase
import FreezeHookRecipes

/// `fsfreeze-hook list`
struct ListCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "Show every entry of the hook directory: what runs, what does not and why.")

    @Flag(help: "Print one JSON object.")
    var json = false

    @OptionGroup var options: LocationOptions

    func run() throws {
        do {
            let locations = options.locations
            let settings = try SettingsFile.read(locations.configuration)
            let directory = HookDirectory(path: locations.hookDirectory, settings: settings)
            let list = try HookList(directory)
            print(json ? try JSONText.encode(list) : list.table)
        } catch {
            throw ExitCode(Ending.show(Ending.result(of: error)))
        }
    }
}
