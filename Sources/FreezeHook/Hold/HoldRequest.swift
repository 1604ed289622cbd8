// SPDX-License-Identifier: Apache-2.0

import FreezeHookBase
import SystemPackage

/// A session to be held open, as `hold` describes it to the holder.
package struct HoldRequest: Equatable {
    /// What `release` calls it by.
    package var name: String
    /// The hook it is held for, or empty.
    package var hook: String
    /// The extended regular expression that one line of the client's output matches when the session is ready.
    package var ready: String
    /// What the client is sent to end the session well.
    package var release: String
    /// How long the client may take to be ready, and to end.
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
    /// What the client reads first.
    package var statements: [UInt8]

    /// A session of a client with this process's environment and the limits of the settings.
    package init(name: String, client: FilePath, arguments: [[UInt8]], settings: Settings) {
        self.name = name
        hook = ""
        ready = ""
        release = ""
        timeout = Self.defaultTimeout
        limit = settings.holdLimit == .zero ? nil : settings.freezeTimeout + settings.holdLimit + settings.thawTimeout
        killGrace = settings.killGrace
        self.client = client
        self.arguments = arguments
        environment = HookEnvironment.ofThisProcess()
        statements = []
        let key = Array(HookEnvironment.hookKey.utf8)
        if let marker = environment.first(where: { $0.starts(with: key) }) {
            hook = SafeText.clean(marker.dropFirst(key.count))
        }
    }

    /// The timeout when none is given.
    package static let defaultTimeout = Duration.seconds(30)

    // A socket's file name: it must stay within the run directory.
    private static let nameLimit = 64

    /// Whether a session may be called so.
    package static func isValidName(_ name: String) -> Bool {
        !name.isEmpty && name.utf8.count <= nameLimit && !name.hasPrefix(".")
            && name.unicodeScalars.allSatisfy {
                $0.isASCII && ($0.properties.isAlphabetic || "0123456789._-".unicodeScalars.contains($0))
            }
    }
}
