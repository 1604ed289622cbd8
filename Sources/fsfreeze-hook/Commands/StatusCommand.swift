import ArgumentParser
import FreezeHook

/// `fsfreeze-hook status`
struct StatusCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "Show whether applications are frozen, and how good the last cycle's image is.",
        discussion:
            "The exit status is 0 when it is application-consistent, and 2 when it is not or something needs attention."
    )

    @Flag(help: "Print one JSON object.")
    var json = false

    @OptionGroup var options: LocationOptions

    func run() throws {
        do {
            let locations = options.locations
            let status = Status(locations: locations, settings: try SettingsFile.read(locations.configuration))
            print(json ? try JSONText.of(status) : status.text)
            throw ExitCode((status.isGood ? ExitStatus.done : .needsAttention).rawValue)
        } catch let error as ExitCode {
            throw error
        } catch {
            throw ExitCode(Ending.show(Ending.result(of: error)))
        }
    }
}
