import CLinux
import FreezeHookBase
import Glibc
import SystemPackage

/// The detached process that ends the window when no thaw comes, and starts the holders, so that they live where it does.
///
/// Descriptor 0 is a socket to the freeze that started it. Whoever thaws ends it over its own socket in the run directory.
package final class GuardProcess {
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
        listener = clinux_listen(runDirectory.descriptor, Guard.socketName(of: cycle))
        if listener < 0 { return nil }
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
        Messages.send(Guard.ready, to: link)
        // It waits for minutes with next to nothing to do.
        clinux_drop_code_pages()
        let wake = wait()
        runDirectory.remove(Guard.socketName(of: cycle))
        close(listener)
        if wake == .thawed { return }
        guard let context = try? CycleContext(locations: locations) else { return }
        let expiry = Expiry(cycle: cycle, context: context, settings: settings, begin: .now())
        if wake == .limit { expiry.endWindow() } else { expiry.recoverAfterKill() }
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
                case Guard.frozen:
                    isFrozen = true
                    deadline = .now() + settings.holdLimit
                case Guard.rehearsed:
                    deadline = .now() + settings.holdLimit
                case Guard.ended:
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
        case Guard.ended:
            return true
        case Guard.startHolder:
            if Holder.start(message.descriptor, runDirectory: locations.runDirectory) {
                Messages.send(Guard.ready, to: connection)
            }
            return false
        default:
            return false
        }
    }
}
