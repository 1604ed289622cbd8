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

    // The guard only has to start; a machine where a start takes longer has no time for a guard.
    private static let startPatience = Duration.seconds(5)

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
        placement = GuardPlacement.place(process.pid, cycle: cycle)
        do throws(MessageError) {
            let answer = try Messages.receive(
                GuardLinkMessage.self, from: socket, until: .now() + Self.startPatience)
            guard case .ready = answer.message else { throw .unknown(kind: answer.message.kind.rawValue) }
        } catch {
            // A guard that answers later would take the closed socket for the death of this freeze, and thaw.
            kill(process.pid, SIGKILL)
            throw .noAnswer
        }
    }

    /// Reports a complete freeze: from now on the hold limit counts.
    func frozen() { try? Messages.send(GuardLinkMessage.frozen, to: socket) }

    /// Reports a complete rehearsal: the hold limit counts, and the end of this process ends the window.
    func rehearsed() { try? Messages.send(GuardLinkMessage.rehearsed, to: socket) }

    /// Reports a rollback after which something may still be held: the guard tries again.
    func unthawed() { try? Messages.send(GuardLinkMessage.unthawed, to: socket) }

    /// Reports a rollback: no window is left to guard.
    func ended() { try? Messages.send(GuardLinkMessage.ended, to: socket) }
}

/// Why there is no guard.
enum GuardError: Error, Equatable, CustomStringConvertible {
    case noSocket(Errno)
    case notStarted(Errno)
    case noAnswer

    var description: String {
        switch self {
        case .noSocket(let error): "the guard: no socket: \(error)"
        case .notStarted(let error): "the guard: it cannot be started: \(error)"
        case .noAnswer: "the guard: it does not answer"
        }
    }
}
