// SPDX-License-Identifier: Apache-2.0

import FreezeHookBase
import Glibc
import SystemPackage

/// A process of this program that this one has started, and the socket to it.
final class OwnProcessLink {
    /// The started process.
    let process: ProcessIdentity
    /// This side of the socket that is the process's descriptor 0.
    let socket: Descriptor

    /// Starts a process. Throws when there is no socket for it, or it cannot be started.
    init(_ role: OwnProcess, environment: [[UInt8]] = []) throws(OwnProcessError) {
        let other: Descriptor
        do throws(Errno) {
            let ends = try LocalSocket.pair()
            socket = Descriptor(owning: ends.own)
            other = Descriptor(owning: ends.other)
        } catch {
            throw .noSocket(error)
        }
        do throws(Errno) { process = try role.start(socket: other, environment: environment) } catch {
            throw .notStarted(error)
        }
        // Only then is the death of the process seen.
        other.close()
    }

    /// The first message of the process, which says that it runs. A process that sends none in time, or another one, is
    /// killed: one that answers later would take the closed socket for the death of this process.
    func greeting<M: Message>(_ isOne: (M) -> Bool) throws(OwnProcessError) -> M {
        do throws(MessageError) {
            let answer = try Messages.receive(M.self, from: socket, until: .now() + LocalSocket.patience).message
            guard isOne(answer) else { throw .unknown(kind: answer.kind.rawValue) }
            return answer
        } catch {
            kill(process.pid, SIGKILL)
            throw .noAnswer(error)
        }
    }
}

/// Why a process of this program cannot be used.
enum OwnProcessError: Error, Equatable, CustomStringConvertible {
    case noSocket(Errno)
    case notStarted(Errno)
    case noAnswer(MessageError)

    var description: String {
        switch self {
        case .noSocket(let error): "no socket: \(error)"
        case .notStarted(let error): "it cannot be started: \(error)"
        case .noAnswer(.closed): "it has ended at its start"
        case .noAnswer(.timeout): "it does not answer"
        case .noAnswer(let error): "\(error)"
        }
    }
}
