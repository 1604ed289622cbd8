// SPDX-License-Identifier: Apache-2.0

import FreezeHookBase
import Glibc
import SystemPackage

/// The freeze's side of its guard: starts the guard before the first hook and reports how the freeze ended.
final class GuardLink {
    private let socket: Descriptor
    let process: ProcessIdentity
    /// The guard's place, in words for the log.
    let placement: String
    /// The name of the guard's own socket in the run directory.
    let socketName: String
    /// Why the guard has no such socket; nil when it has.
    let unreachable: String?

    /// Starts the guard of a cycle. Throws when it cannot be started or does not answer.
    init(cycle: String, locations: Locations) throws(GuardError) {
        socketName = Guard.socketName(of: cycle)
        let other: Descriptor
        do throws(Errno) {
            let ends = try LocalSocket.pair()
            socket = Descriptor(owning: ends.own)
            other = Descriptor(owning: ends.other)
        } catch {
            throw .noSocket(error)
        }
        do throws(Errno) {
            // The guard's thaw hooks get the environment of the freeze.
            process = try OwnProcess.guard(cycle: cycle, locations)
                .start(socket: other, environment: HookEnvironment.ofThisProcess())
        } catch {
            throw .notStarted(error)
        }
        // Only then is the guard's death seen.
        other.close()
        do throws(MessageError) {
            let answer = try Messages.receive(
                GuardLinkMessage.self, from: socket, until: .now() + LocalSocket.patience)
            switch answer.message {
            case .ready: unreachable = nil
            case .unreachable(let reason): unreachable = reason
            case .frozen, .rehearsed, .ended, .unthawed: throw .unknown(kind: answer.message.kind.rawValue)
            }
        } catch {
            // A guard that answers later would take the closed socket for the death of this freeze, and thaw.
            kill(process.pid, SIGKILL)
            throw .noAnswer(error)
        }
        placement = GuardPlacement.place(process.pid, cycle: cycle)
    }

    /// Reports a complete freeze: from now on the hold limit counts.
    func frozen() { tell(.frozen) }

    /// Reports a complete rehearsal: the hold limit counts, and the end of this process ends the window.
    func rehearsed() { tell(.rehearsed) }

    /// Reports a rollback after which something may still be held: the guard tries again.
    func unthawed() { tell(.unthawed) }

    /// Reports a rollback: no window is left to guard.
    func ended() { tell(.ended) }

    private func tell(_ message: GuardLinkMessage) {
        try? Messages.send(message, to: socket, until: .now() + LocalSocket.patience)
    }
}

/// Why there is no guard.
enum GuardError: Error, Equatable, CustomStringConvertible {
    case noSocket(Errno)
    case notStarted(Errno)
    case noAnswer(MessageError)

    var description: String {
        switch self {
        case .noSocket(let error): "the guard: no socket: \(error)"
        case .notStarted(let error): "the guard: it cannot be started: \(error)"
        case .noAnswer(.closed): "the guard: it has ended at its start"
        case .noAnswer(.timeout): "the guard: it does not answer"
        case .noAnswer(let error): "the guard: \(error)"
        }
    }
}
