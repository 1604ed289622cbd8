// SPDX-License-Identifier: Apache-2.0

import FreezeHook
import FreezeHookBase

/// The work of `hold` and `release`, with or without the argument parser.
enum Sessions {
    /// Opens a session with the statements from standard input, reports errors on standard error, and returns the exit status.
    ///
    /// - Parameters:
    ///   - client: the client and its arguments.
    ///   - ready: the extended regular expression that a line of the client matches when the session stands.
    ///   - release: the text for the client that ends the session.
    ///   - timeout: how long the client may take to be ready, and to end.
    static func open(
        _ name: String, client: [String], ready: String, release: String, timeout: Duration, in locations: Locations
    ) -> Int32 {
        let statements = readStandardInput()
        ProcessSetup.run()
        guard let path = findExecutable(client[0]) else {
            return Ending.show(.clientNotFound(client[0]))
        }
        var request = HoldRequest(
            name: name, client: path, arguments: client.map { Array($0.utf8) },
            limits: HoldLimits.inForce(in: locations))
        request.statements = statements
        request.ready = ready
        request.release = release
        request.timeout = timeout
        return use(in: locations) { (client) throws(HoldError) in try client.open(request) { print($0) } }
    }

    /// Ends a session, reports errors on standard error, and returns the exit status.
    static func end(_ name: String, within limit: Duration, in locations: Locations) -> Int32 {
        ProcessSetup.run()
        return use(in: locations) { (client) throws(HoldError) in
            try client.release(name, within: limit) { print($0) }
        }
    }

    private static func use(in locations: Locations, _ work: (HoldClient) throws(HoldError) -> Void) -> Int32 {
        do throws(ProgramError) {
            let client = try attempt(ProgramError.runDirectory, try HoldClient(runDirectory: locations.runDirectory))
            try attempt(ProgramError.hold, try work(client))
            return ExitStatus.done.rawValue
        } catch {
            return Ending.show(error)
        }
    }
}
