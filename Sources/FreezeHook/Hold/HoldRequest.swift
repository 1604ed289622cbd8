// SPDX-License-Identifier: Apache-2.0

import FreezeHookBase
import SystemPackage

/// A session to be held open, as `hold` describes it to the holder.
package struct HoldRequest: Equatable {
    /// The session's name, for `release`.
    package var name: String
    /// The name of the hook that opens the session; empty for another caller.
    package var hook: String
    /// The extended regular expression that one line of the client's output matches when the session is ready.
    package var ready: String
    /// The text that makes the client end the session well.
    package var release: String
    /// The time limit of the client to be ready, and to end.
    package var timeout: Duration
    /// The longest time for which the session may be held; nil for no limit.
    package var limit: Duration?
    /// The time between SIGTERM and SIGKILL.
    package var killGrace: Duration
    /// The client's program.
    package var client: FilePath
    /// The client's arguments, its name first.
    package var arguments: [[UInt8]]
    /// The client's environment: entries `NAME=value`.
    package var environment: [[UInt8]]
    /// The client's first input.
    package var statements: [UInt8]

    /// A session of a client with this process's environment.
    package init(name: String, client: FilePath, arguments: [[UInt8]], limits: HoldLimits) {
        self.name = name
        hook = ""
        ready = ""
        release = ""
        timeout = Self.defaultTimeout
        limit = limits.longest
        killGrace = limits.killGrace
        self.client = client
        self.arguments = arguments
        environment = HookEnvironment.ofThisProcess()
        statements = []
        let key = Array(HookEnvironment.hookKey.utf8)
        if let marker = environment.first(where: { $0.starts(with: key) }) {
            hook = SafeText.clean(marker.dropFirst(key.count))
        }
    }

    /// The default of `timeout`.
    package static let defaultTimeout = Duration.seconds(30)

    // The name is part of a socket's path, which must stay in the run directory (108 bytes at most, unix(7)).
    private static let nameLimit = 64

    /// Whether a session may have this name: ASCII letters, digits, `.`, `_` and `-`, the first no `.`.
    package static func isValidName(_ name: String) -> Bool {
        !name.isEmpty && name.utf8.count <= nameLimit && !name.hasPrefix(".")
            && name.unicodeScalars.allSatisfy {
                $0.isASCII && ($0.properties.isAlphabetic || "0123456789._-".unicodeScalars.contains($0))
            }
    }
}
