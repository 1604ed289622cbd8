import ArgumentParser
import FreezeHook
import SystemPackage

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
    var timeout: TimeOption = TimeOption(.seconds(30))

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
        let statements = readStandardInput()
        let locations = options.locations
        ProcessSetup.run()
        do {
            guard let path = findExecutable(client[0]) else {
                throw ExitCode(Ending.show(CommandResult(.failed, "\(client[0]) was not found in PATH")))
            }
            let settings = (try? SettingsFile.read(locations.configuration)) ?? Settings()
            var request = HoldRequest(
                name: name, ready: ready, client: path, arguments: client.map { Array($0.utf8) }, settings: settings)
            request.release = release
            request.timeout = timeout.duration
            request.statements = statements
            let session = try Session(runDirectory: locations.runDirectory)
            throw ExitCode(Ending.show(session.open(request) { print($0) }))
        } catch let error as RunDirectoryError {
            throw ExitCode(Ending.show(Ending.result(of: error)))
        }
    }
}
