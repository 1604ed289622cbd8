import CLinux
import Glibc
import SystemPackage

/// The detached process that ends the window when no thaw comes, and starts the holders, so that they live where it does.
///
/// Descriptor 0 is a socket to the freeze that started it. Whoever thaws ends it over its own socket in the run directory.
package final class Guard {
    /// The word by which the program knows that it is to be a guard.
    package static let command = "guard"

    // What the freeze and the guard tell each other.
    static let ready: Character = "R"
    static let frozen: Character = "F"
    /// All hooks of a rehearsal have run, and its process stays to thaw them.
    static let rehearsed: Character = "r"
    static let ended: Character = "E"
    /// With a descriptor: it becomes the standard input of a holder.
    static let startHolder: Character = "H"

    private let cycle: String
    private let locations: Locations
    private let settings: Settings
    private let runDirectory: RunDirectory
    private let listener: Int32
    private let link: Int32 = 0

    /// The guard of a cycle; nil when its socket cannot be made.
    package init?(cycle: String, locations: Locations) {
        self.cycle = cycle
        self.locations = locations
        settings = (try? SettingsFile.read(locations.configuration)) ?? Settings()
        guard let runDirectory = try? RunDirectory(path: locations.runDirectory) else { return nil }
        self.runDirectory = runDirectory
        listener = clinux_listen(runDirectory.descriptor, Self.socketName(of: cycle))
        if listener < 0 { return nil }
    }

    static func socketName(of cycle: String) -> String { "guard-\(cycle)" }

    static func arguments(cycle: String, locations: Locations) -> [[UInt8]] {
        [Array(command.utf8), Array(cycle.utf8)] + locations.arguments
    }

    /// How the wait ended.
    private enum Wake {
        case thawed
        case limit
        case freezeDied
    }

    /// Waits for the thaw; thaws itself when it does not come.
    package func run() {
        // Holders are its children: nobody asks for their status.
        signal(SIGCHLD, SIG_IGN)
        signal(SIGPIPE, SIG_IGN)
        Messages.send(Self.ready, to: link)
        // It waits for minutes with next to nothing to do.
        clinux_give_back_code()
        let wake = wait()
        runDirectory.remove(Self.socketName(of: cycle))
        close(listener)
        if wake == .thawed { return }
        guard let context = try? CycleContext(locations: locations) else { return }
        let thaw = Thaw(in: context)
        if wake == .limit { thaw.expire(cycle, under: settings) } else { thaw.recoverAfterKill(cycle) }
    }

    private func wait() -> Wake {
        // A freeze keeps its own limits; this one is for a freeze that hangs in the kernel.
        var deadline = MonotonicTime.now() + settings.freezeTimeout + settings.holdLimit
        var isFrozen = false
        var linkIsOpen = true
        while true {
            var waiting = [
                pollfd(fd: linkIsOpen ? link : -1, events: Int16(POLLIN), revents: 0),
                pollfd(fd: listener, events: Int16(POLLIN), revents: 0),
            ]
            poll(&waiting, 2, (deadline - .now()).pollMilliseconds)
            if waiting[0].revents != 0 {
                switch Messages.receive(from: link)?.letter {
                case Self.frozen:
                    isFrozen = true
                    deadline = .now() + settings.holdLimit
                case Self.rehearsed:
                    deadline = .now() + settings.holdLimit
                case Self.ended:
                    return .thawed
                default:
                    if !isFrozen { return .freezeDied }
                    linkIsOpen = false
                }
            }
            if waiting[1].revents != 0, serve() { return .thawed }
            if .now() >= deadline { return .limit }
        }
    }

    /// Serves one connection; true when it says that the window has ended.
    private func serve() -> Bool {
        let connection = clinux_accept(listener)
        guard connection >= 0 else { return false }
        defer { close(connection) }
        guard let message = Messages.receive(from: connection) else { return false }
        defer { if message.descriptor >= 0 { close(message.descriptor) } }
        switch message.letter {
        case Self.ended:
            return true
        case Self.startHolder:
            if Holder.start(message.descriptor, runDirectory: locations.runDirectory) {
                Messages.send(Self.ready, to: connection)
            }
            return false
        default:
            return false
        }
    }

    /// Has the guard start a holder for this socket; false when there is no guard.
    static func askForHolder(_ socket: Int32, _ guardSocket: String, in runDirectory: RunDirectory) -> Bool {
        let connection = clinux_connect(runDirectory.descriptor, guardSocket)
        guard connection >= 0 else { return false }
        defer { close(connection) }
        return Messages.send(startHolder, passing: socket, to: connection)
            && Messages.receive(from: connection)?.letter == ready
    }

    /// Tells the guard of a cycle that its window has ended.
    static func end(_ guardian: (process: ProcessIdentity, socket: String), in runDirectory: RunDirectory) {
        let connection = clinux_connect(runDirectory.descriptor, guardian.socket)
        if connection >= 0 {
            Messages.send(ended, to: connection)
            close(connection)
        } else {
            runDirectory.remove(guardian.socket)
        }
    }
}

extension Locations {
    /// The places as arguments of a process of ours.
    var arguments: [[UInt8]] {
        [hookDirectory, configuration, logFile ?? "", runDirectory, stateDirectory, agentState].map(\.bytes)
    }

    /// The places that such arguments name.
    package init?(arguments: [FilePath]) {
        guard arguments.count == 6 else { return nil }
        self.init(calledPath: "", hookDirectory: arguments[0], configuration: arguments[1])
        logFile = arguments[2].isEmpty ? nil : arguments[2]
        runDirectory = arguments[3]
        stateDirectory = arguments[4]
        agentState = arguments[5]
    }
}
