import FreezeHook
import FreezeHookAdmin
import FreezeHookBase
import FreezeHookRecipes

/// Opens a session with the statements from standard input, says on standard error what went wrong, and returns the exit
/// status. `describe` completes the request.
func openSession(
    _ name: String, client: [String], in locations: Locations, describe: (inout HoldRequest) -> Void
) -> Int32 {
    let statements = readStandardInput()
    ProcessSetup.run()
    guard let path = findExecutable(client[0]) else {
        return Ending.show(.clientNotFound(client[0]))
    }
    let settings = (try? SettingsFile.read(locations.configuration)) ?? Settings()
    var request = HoldRequest(
        name: name, client: path, arguments: client.map { Array($0.utf8) }, settings: settings)
    request.statements = statements
    describe(&request)
    do {
        return Ending.show(try HoldClient(runDirectory: locations.runDirectory).open(request) { print($0) })
    } catch {
        return Ending.show(.runDirectory(error))
    }
}

/// Ends a session, says on standard error what went wrong, and returns the exit status.
func endSession(_ name: String, within limit: Duration, in locations: Locations) -> Int32 {
    ProcessSetup.run()
    do {
        return Ending.show(
            try HoldClient(runDirectory: locations.runDirectory).release(name, within: limit) { print($0) })
    } catch {
        return Ending.show(.runDirectory(error))
    }
}
