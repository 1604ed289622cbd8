// SPDX-License-Identifier: Apache-2.0

import FreezeHookBase
import SystemPackage

/// The side of a freeze or thaw that hands pipes to its drainer.
final class DrainerLink {
    private let socket: Descriptor

    /// Starts a drainer and waits for its own socket: a thaw may follow at once. Throws an Errno when the drainer
    /// cannot be started, a MessageError when it ends.
    init(socketName: String, runDirectory: RunDirectory?) throws {
        let ends = try LocalSocket.pair()
        socket = Descriptor(owning: ends.own)
        do {
            let other = Descriptor(owning: ends.other)
            _ = try OwnProcess.drainer(socket: socketName, runDirectory: runDirectory?.path ?? "").start(socket: other)
        }
        let answer = try Messages.receive(DrainerMessage.self, from: socket).message
        guard case .ready = answer else { throw MessageError.unknown(kind: answer.kind.rawValue) }
    }

    /// Hands a pipe's read end to the drainer.
    func take(_ descriptor: borrowing Descriptor, of hook: Hook) {
        try? Messages.send(DrainerMessage.pipe(hook: hook.name), passing: descriptor, to: socket)
    }
}
