import CLinux
import FreezeHookBase
import Glibc
import SystemPackage

/// The side of `hold` and `release`: asks for a session, and gives it back.
package struct HoldClient {
    private let runDirectory: RunDirectory

    /// Sessions of the cycle in this run directory.
    package init(runDirectory: FilePath) throws(RunDirectoryError) {
        self.runDirectory = try RunDirectory(path: runDirectory)
    }

    init(_ runDirectory: RunDirectory) {
        self.runDirectory = runDirectory
    }

    /// Opens a session and leaves it to its holder. `emit` is given what the client says until it is ready.
    package func open(_ request: HoldRequest, emit: (String) -> Void) -> CommandResult {
        guard let (own, other) = Messages.pair() else {
            return CommandResult(.failed, "no socket: \(Errno(rawValue: errno))")
        }
        defer { close(own) }
        // The guard's place is out of reach of whatever ends the agent's unit; without a guard the holder is ours.
        let isStarted = startByGuard(other) || Holder.start(other, runDirectory: runDirectory.path)
        close(other)
        guard isStarted, request.send(to: own) else { return CommandResult(.failed, "the holder cannot be started") }
        return follow(own, within: request.timeout + request.killGrace, emit: emit)
    }

    /// Gives a session back. `emit` is given the client's last words.
    package func release(_ name: String, within limit: Duration, emit: (String) -> Void) -> CommandResult {
        let connection = clinux_connect(runDirectory.descriptor, Holder.socketName(of: name))
        guard connection >= 0 else { return CommandResult(.failed, missing(name)) }
        defer { close(connection) }
        Messages.send(Holder.release, to: connection)
        return follow(connection, within: limit, emit: emit)
    }

    private func startByGuard(_ socket: Int32) -> Bool {
        guard let guardian = CycleRecorder.read(in: runDirectory)?.guardian else { return false }
        return Guard.askForHolder(socket, guardian.socket, in: runDirectory)
    }

    private func follow(_ socket: Int32, within limit: Duration, emit: (String) -> Void) -> CommandResult {
        // The holder keeps the limit; this one is for a holder that is itself in trouble.
        let deadline = MonotonicTime.now() + limit + .seconds(2)
        while Messages.wait(for: socket, until: deadline) {
            guard let message = Messages.receive(from: socket) else {
                return CommandResult(.failed, "the holder has died; the session is lost")
            }
            switch message.letter {
            case Holder.output: emit(message.text)
            case Holder.failed: return CommandResult(.failed, message.text)
            default: return CommandResult(.done)
            }
        }
        return CommandResult(.failed, "the holder does not answer")
    }

    private func missing(_ name: String) -> String {
        let hold = CycleRecorder.read(in: runDirectory)?.holds.last { $0.name == name }
        switch hold?.ending {
        case .lost(let time?, let reason): return "the session \(name) had ended at \(time.rfc3339): \(reason)"
        case .lost(nil, let reason): return "the session \(name) had ended: \(reason)"
        case .released: return "the session \(name) has been released already"
        case nil where hold != nil || ClientNote(runDirectory: runDirectory, hold: name).exists:
            return "the session \(name) had ended at an unknown moment: its holder was killed"
        case nil: return "no session \(name) is held"
        }
    }
}
