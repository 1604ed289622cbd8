// SPDX-License-Identifier: Apache-2.0

import FreezeHookBase
import Glibc
import SystemPackage

/// The side of a freeze or thaw that hands pipes to its drainer.
final class DrainerLink {
    private let socket: Descriptor

    /// Starts a drainer and waits for its own socket: a thaw may follow at once.
    init(socketName: String, runDirectory: RunDirectory?) throws(DrainerError) {
        let other: Descriptor
        do throws(Errno) {
            let ends = try LocalSocket.pair()
            socket = Descriptor(owning: ends.own)
            other = Descriptor(owning: ends.other)
        } catch {
            throw .noSocket(error)
        }
        let process: ProcessIdentity
        do throws(Errno) {
            process = try OwnProcess.drainer(socket: socketName, runDirectory: runDirectory?.path ?? "")
                .start(socket: other)
        } catch {
            throw .notStarted(error)
        }
        // Only then is the drainer's death seen.
        other.close()
        do throws(MessageError) {
            let answer = try Messages.receive(
                DrainerMessage.self, from: socket, until: .now() + LocalSocket.patience
            ).message
            guard case .ready = answer else { throw .unknown(kind: answer.kind.rawValue) }
        } catch {
            kill(process.pid, SIGKILL)
            throw .noAnswer(error)
        }
    }

    /// Hands a pipe's read end to the drainer. Throws when the drainer has gone or does not take it in time.
    func take(_ descriptor: borrowing Descriptor, of hook: Hook) throws(MessageError) {
        try Messages.send(
            DrainerMessage.pipe(hook: hook.name), passing: descriptor, to: socket, until: .now() + LocalSocket.patience)
    }
}

/// Why there is no drainer.
enum DrainerError: Error, Equatable, CustomStringConvertible {
    case noSocket(Errno)
    case notStarted(Errno)
    case noAnswer(MessageError)

    var description: String {
        switch self {
        case .noSocket(let error): "no socket: \(error)"
        case .notStarted(let error): "it cannot be started: \(error)"
        case .noAnswer(.closed): "it has ended at its start"
        case .noAnswer(let error): "\(error)"
        }
    }
}
