import CLinux
import FreezeHookBase
import Glibc
import SystemPackage

/// The freeze's side of its guard: starts it before the first hook and tells it how the freeze ended.
final class GuardLink {
    private let socket: Int32
    let process: ProcessIdentity
    /// Where it lives, in words for the log.
    let placement: String
    /// The name of its socket in the run directory.
    let socketName: String

    // It only has to start; a machine where that takes longer has no time for a guard.
    private static let startPatience = Duration.seconds(5)

    /// Starts the guard of a cycle. Throws when it cannot be started or does not answer.
    init(cycle: String, locations: Locations, settings: Settings) throws(GuardError) {
        guard let (own, other) = Messages.pair() else {
            throw GuardError(reason: "no socket: \(Errno(rawValue: errno))")
        }
        defer { close(other) }
        socketName = Guard.socketName(of: cycle)
        // The hooks that it may have to thaw get the environment that they were frozen in.
        let spawn = Spawn.ownPart(
            Guard.arguments(cycle: cycle, locations: locations), environment: HookEnvironment.ofThisProcess(),
            socket: other)
        do {
            process = ProcessIdentity(of: try spawn.start())
        } catch {
            close(own)
            throw GuardError(reason: "it cannot be started: \(error)")
        }
        socket = own
        placement = GuardPlacement.place(process.pid, cycle: cycle)
        guard Messages.wait(for: own, until: .now() + Self.startPatience),
            Messages.receive(from: own)?.letter == Guard.ready
        else {
            // One that answers later would take the closed socket for the death of this freeze, and thaw.
            kill(process.pid, SIGKILL)
            throw GuardError(reason: "it does not answer")
        }
    }

    deinit { close(socket) }

    /// The freeze is complete: from now on the hold limit counts.
    func frozen() { Messages.send(Guard.frozen, to: socket) }

    /// All hooks of a rehearsal have run: the hold limit counts, and the end of this process ends the window.
    func rehearsed() { Messages.send(Guard.rehearsed, to: socket) }

    /// The freeze was rolled back: there is nothing to guard.
    func ended() { Messages.send(Guard.ended, to: socket) }
}

/// Why there is no guard.
struct GuardError: Error, CustomStringConvertible {
    var reason: String
    var description: String { "the guard: \(reason)" }
}
