// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import FreezeHook

/// `fsfreeze-hook hold`
struct HoldCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "hold",
        abstract: "Keep a client's session open, with the statements from standard input, until 'release'.",
        discussion: """
            For hooks, and any script: a database connection that holds a lock lives in a process of its own, which ends with \
            the window whatever happens. It returns 0 once the client has printed the pattern.
            """)

    @Argument(help: "The session's name.")
    var name: String

    @Option(help: "The extended regular expression that a line of the client matches when the session stands.")
    var ready: String

    @Option(help: "What the client is sent to end the session.")
    var release: String = ""

    @Option(help: "How long the client may take to be ready, and to end.")
    var timeout: TimeOption = TimeOption(HoldRequest.defaultTimeout)

    @OptionGroup var options: LocationOptions

    @Argument(parsing: .postTerminator, help: "The client and its arguments, after --.")
    var client: [String] = []

    func validate() throws {
        guard HoldRequest.isValidName(name) else {
            throw ValidationError("'\(name)' is no name of a session: letters, digits, '.', '_' and '-', at most 64")
        }
        guard Pattern(ready) != nil else { throw ValidationError("'\(ready)' is no extended regular expression") }
        guard !client.isEmpty else { throw ValidationError("The client is missing: put it after --") }
    }

    func run() throws {
        throw ExitCode(
            Sessions.open(
                name, client: client, ready: ready, release: release, timeout: timeout.duration, in: options.locations))
    }
}
