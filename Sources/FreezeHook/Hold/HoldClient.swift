// SPDX-License-Identifier: Apache-2.0

import FreezeHookBase
import Glibc
import SystemPackage

/// The side of `hold` and `release`: opens a session, and releases it.
package struct HoldClient {
    private let runDirectory: RunDirectory

    // The holder itself keeps the limit; this time comes on top, for a holder that is late.
    private static let patience = Duration.seconds(2)

    /// A side for the sessions in this run directory.
    package init(runDirectory: FilePath) throws(RunDirectoryError) {
        self.runDirectory = try RunDirectory(path: runDirectory)
    }

    init(_ runDirectory: RunDirectory) {
        self.runDirectory = runDirectory
    }

    /// Opens a session and leaves it to its holder. `emit` gets the client's lines until the session is ready.
    package func open(_ request: HoldRequest, emit: (String) -> Void) throws(HoldError) {
        let own = try startHolder()
        do throws(MessageError) {
            try request.send(to: own, until: .now() + LocalSocket.patience)
        } catch {
            throw error == .timeout ? .noAnswer : .holderNotStarted
        }
        try follow(within: request.timeout + request.killGrace, emit: emit) {
            (deadline) throws(MessageError) -> HolderAnswer in
            let message = try Messages.receive(HoldMessage.self, from: own, until: deadline).message
            guard case .answer(let answer) = message else { throw .unknown(kind: message.kind.rawValue) }
            return answer
        }
    }

    /// Releases a session. `emit` gets the client's last lines.
    package func release(_ name: String, within limit: Duration, emit: (String) -> Void) throws(HoldError) {
        let connection = try connect(to: name, within: min(limit, LocalSocket.patience))
        // A holder that does not take the request does not answer it either.
        try? Messages.send(ReleaseMessage.release, to: connection, until: .now() + LocalSocket.patience)
        try follow(within: limit, emit: emit) {
            (deadline) throws(MessageError) -> HolderAnswer in
            let message = try Messages.receive(ReleaseMessage.self, from: connection, until: deadline).message
            guard case .answer(let answer) = message else { throw .unknown(kind: message.kind.rawValue) }
            return answer
        }
    }

    private func connect(to name: String, within limit: Duration) throws(HoldError) -> Descriptor {
        do throws(Errno) {
            return try LocalSocket.connect(
                to: Holder.socketName(of: name), in: runDirectory, until: .now() + limit)
        } catch {
            switch error {
            case .connectionRefused, .noSuchFileOrDirectory: throw missing(name)
            case .timedOut: throw .noAnswer
            default: throw .noSocket(error)
            }
        }
    }

    /// Starts a holder; returns the socket to it.
    private func startHolder() throws(HoldError) -> Descriptor {
        // A holder in the guard's scope outlives the agent's unit; without a guard this process starts the holder.
        if let guardian = CycleRecorder.read(in: runDirectory)?.guardian {
            let (own, other) = try Self.pair()
            let hasHolder = Guard.askForHolder(Descriptor(owning: other), guardian.socket, in: runDirectory)
            if hasHolder { return Descriptor(owning: own) }
            // A guard that answers later must not start a second holder for one request: its socket is closed.
            Descriptor(owning: own).close()
        }
        let (own, other) = try Self.pair()
        let socket = Descriptor(owning: own)
        do { try Holder.start(Descriptor(owning: other), runDirectory: runDirectory.path) } catch {
            throw .holderNotStarted
        }
        return socket
    }

    private static func pair() throws(HoldError) -> (own: Int32, other: Int32) {
        do throws(Errno) { return try LocalSocket.pair() } catch { throw .noSocket(error) }
    }

    /// Reads the holder's answers up to the last one.
    private func follow(
        within limit: Duration, emit: (String) -> Void, next: (MonotonicTime) throws(MessageError) -> HolderAnswer
    ) throws(HoldError) {
        let deadline = MonotonicTime.now() + limit + Self.patience
        while true {
            let answer: HolderAnswer
            do throws(MessageError) {
                answer = try next(deadline)
            } catch .closed {
                throw .holderDied
            } catch .timeout {
                throw .noAnswer
            } catch {
                throw .misunderstood(error)
            }
            switch answer {
            case .output(let line): emit(line)
            case .failed(let reason): throw .failed(reason)
            case .done: return
            }
        }
    }

    private func missing(_ name: String) -> HoldError {
        let hold = CycleRecorder.read(in: runDirectory)?.holds.last { $0.name == name }
        switch hold?.ending {
        case .lost(let time, let reason): return .lost(name: name, time: time, reason: reason)
        case .released: return .alreadyReleased(name: name)
        case nil where hold != nil || ClientNote(runDirectory: runDirectory, hold: name).exists:
            return .holderKilled(name: name)
        case nil: return .notHeld(name: name)
        }
    }
}
