// SPDX-License-Identifier: Apache-2.0

import FreezeHookBase
import SystemPackage

/// The side of the drainer's socket that hands pipes to it.
final class DrainerLink {
    private let socket: Descriptor

    /// Starts a drainer and waits until its own socket is there: a thaw may follow at once. Throws when it cannot be
    /// started or ends.
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

    /// Hands a pipe's read end on.
    func take(_ descriptor: borrowing Descriptor, of hook: Hook) {
        try? Messages.send(DrainerMessage.pipe(hook: hook.name), passing: descriptor, to: socket)
    }
}
