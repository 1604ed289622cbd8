// SPDX-License-Identifier: Apache-2.0

import FreezeHookBase
import SystemPackage

/// The side of a freeze or thaw that hands pipes to its drainer.
final class DrainerLink {
    private let link: OwnProcessLink

    /// Starts a drainer and waits for its own socket: a thaw may follow at once.
    init(socketName: String, runDirectory: RunDirectory?) throws(OwnProcessError) {
        link = try OwnProcessLink(.drainer(socket: socketName, runDirectory: runDirectory?.path ?? ""))
        _ = try link.greeting { (message: DrainerMessage) in
            if case .ready = message { true } else { false }
        }
    }

    /// Hands a pipe's read end to the drainer. Throws when the drainer has gone or does not take it in time.
    func take(_ descriptor: borrowing Descriptor, of hook: Hook) throws(MessageError) {
        try Messages.send(
            DrainerMessage.pipe(hook: hook.name), passing: descriptor, to: link.socket,
            until: .now() + LocalSocket.patience)
    }
}
