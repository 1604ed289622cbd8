// SPDX-License-Identifier: Apache-2.0

import FreezeHookBase

/// What the freeze, the thaw and `hold` ask of the guard of a cycle, the process that ends the window when no thaw comes.
package enum Guard {
    /// The name of the guard's socket in the run directory.
    package static func socketName(of cycle: String) -> String { "guard-\(cycle)" }

    /// Has the guard start a holder for this socket; false when there is no guard, or one of another version.
    static func askForHolder(
        _ socket: borrowing Descriptor, _ guardSocket: String, in runDirectory: RunDirectory
    ) -> Bool {
        guard let connection = try? LocalSocket.connect(to: guardSocket, in: runDirectory),
            (try? Messages.send(GuardMessage.startHolder, passing: socket, to: connection)) != nil,
            let answer = try? Messages.receive(GuardMessage.self, from: connection).message
        else { return false }
        if case .started = answer { return true } else { return false }
    }

    /// Tells the guard of a cycle that its window has ended.
    static func end(_ guardian: (process: ProcessIdentity, socket: String), in runDirectory: RunDirectory) {
        if let connection = try? LocalSocket.connect(to: guardian.socket, in: runDirectory) {
            try? Messages.send(GuardMessage.ended, to: connection)
        }
        // The guard removes its socket too, unless it is killed before that.
        runDirectory.remove(guardian.socket)
    }
}
