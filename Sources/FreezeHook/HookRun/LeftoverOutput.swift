import FreezeHookBase
import Glibc
import SystemPackage

/// The output of what hooks left running. Its pipes go to a drainer, a small detached process that reads them for as
/// long as they have writers, and keeps what they say until the thaw fetches it.
final class LeftoverOutput {
    private let runDirectory: RunDirectory?
    private let cycle: String
    private let started: (String) -> Void
    private var drainer: Int32?

    /// `started` is told the name of the drainer's socket in the run directory, once there is one.
    init(runDirectory: RunDirectory?, cycle: String, started: @escaping (String) -> Void) {
        self.runDirectory = runDirectory
        self.cycle = cycle
        self.started = started
    }

    deinit { if let drainer { close(drainer) } }

    /// Hands a pipe's read end on; the caller closes its own. When no drainer can be had the writers see a closed pipe.
    func take(_ descriptor: Int32, of hook: Hook) {
        guard let socket = drainer ?? startDrainer() else { return }
        drainer = socket
        Messages.send(Drainer.pipe, Array(hook.name.utf8), passing: descriptor, to: socket)
    }

    private func startDrainer() -> Int32? {
        guard let (own, other) = Messages.pair() else { return nil }
        defer { close(other) }
        // The socket's name is unique among cycles and their phases; a drainer may live on for days.
        let name = "drain-\(cycle)-\(getpid())"
        let arguments = [Array(Drainer.command.utf8), Array(name.utf8), runDirectory?.path.bytes ?? []]
        let spawn = Spawn.ownPart(arguments, socket: other)
        guard (try? spawn.start()) != nil else {
            close(own)
            return nil
        }
        // It answers when its socket is there: a thaw may follow at once.
        _ = Messages.receive(from: own)
        if runDirectory != nil { started(name) }
        return own
    }
}
