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
        do { try request.send(to: own) } catch { throw .holderNotStarted }
        try follow(within: request.timeout + request.killGrace, emit: emit) {
            (deadline) throws(MessageError) -> HolderAnswer in
            let message = try Messages.receive(HoldMessage.self, from: own, until: deadline).message
            guard case .answer(let answer) = message else { throw .unknown(kind: message.kind.rawValue) }
            return answer
        }
    }

    /// Releases a session. `emit` gets the client's last lines.
    package func release(_ name: String, within limit: Duration, emit: (String) -> Void) throws(HoldError) {
        guard let connection = try? LocalSocket.connect(to: Holder.socketName(of: name), in: runDirectory) else {
            throw missing(name)
        }
        try? Messages.send(ReleaseMessage.release, to: connection)
        try follow(within: limit, emit: emit) {
            (deadline) throws(MessageError) -> HolderAnswer in
            let message = try Messages.receive(ReleaseMessage.self, from: connection, until: deadline).message
            guard case .answer(let answer) = message else { throw .unknown(kind: message.kind.rawValue) }
            return answer
        }
    }

    /// Starts a holder; returns the socket to it.
    private func startHolder() throws(HoldError) -> Descriptor {
        let ends: (own: Int32, other: Int32)
        do { ends = try LocalSocket.pair() } catch { throw .noSocket(error) }
        let own = Descriptor(owning: ends.own)
        let other = Descriptor(owning: ends.other)
        // A holder in the guard's scope outlives the agent's unit; without a guard this process starts the holder.
        if let guardian = CycleRecorder.read(in: runDirectory)?.guardian,
            Guard.askForHolder(other, guardian.socket, in: runDirectory)
        {
            return own
        }
        do { try Holder.start(other, runDirectory: runDirectory.path) } catch { throw .holderNotStarted }
        return own
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
