import CLinux
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
        let name = Array(hook.name.utf8)
        _ = name.withUnsafeBytes { clinux_send(socket, $0.baseAddress, $0.count, descriptor) }
    }

    private func startDrainer() -> Int32? {
        guard let (own, other) = Messages.pair() else { return nil }
        defer { close(other) }
        // The socket's name is unique among cycles and their phases; a drainer may live on for days.
        let name = "drain-\(cycle)-\(getpid())"
        // /proc/self/exe is this program even when an upgrade has replaced its file.
        var spawn = Spawn(
            path: "/proc/self/exe",
            arguments: ["fsfreeze-hook", Drainer.command, name].map { Array($0.utf8) }
                + [runDirectory?.path.bytes ?? []],
            // No hook's process: the marker keeps it from being ended as a stray of one.
            environment: [Array(HookEnvironment.hookKey.utf8)])
        spawn.standardInput = other
        guard (try? spawn.start()) != nil else {
            close(own)
            return nil
        }
        // It answers when its socket is there: a thaw may follow at once.
        var answer: UInt8 = 0
        var none: Int32 = -1
        _ = clinux_receive(own, &answer, 1, &none)
        if runDirectory != nil { started(name) }
        return own
    }
}
