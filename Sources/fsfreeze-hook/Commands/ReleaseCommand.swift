// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import FreezeHook

/// `fsfreeze-hook release`
struct ReleaseCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "release",
        abstract: "End a session that 'hold' has opened.",
        discussion: "It fails when the session had ended before: whatever it held was lost in the window.")

    @Argument(help: "The session's name.")
    var name: String

    @Option(help: "How long the session may take to end.")
    var timeout: TimeOption = TimeOption(HoldRequest.defaultTimeout)

    @OptionGroup var options: LocationOptions

    func validate() throws {
        guard HoldRequest.isValidName(name) else { throw ValidationError("'\(name)' is no name of a session") }
    }

    func run() throws {
        throw ExitCode(Sessions.end(name, within: timeout.duration, in: options.locations))
    }
}
