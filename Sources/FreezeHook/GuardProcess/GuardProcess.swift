// SPDX-License-Identifier: Apache-2.0

import CLinux
import FreezeHookBase
import Glibc
import SystemPackage

/// The detached process that ends the window when no thaw comes. It also starts the holders, in its own scope.
///
/// Descriptor 0 is a socket to the freeze (GuardLinkMessage); a thaw ends the guard over the guard's own socket in the
/// run directory (GuardMessage).
package final class GuardProcess {
    private let cycle: String
    private let locations: Locations
    private let settings: Settings
    private let runDirectory: RunDirectory
    /// The guard's own socket; nil after the wait.
    private var listener: Descriptor?
    private let link = Descriptor(owning: 0)

    // A connection that is silent must not keep the guard from its limit.
    private static let connectionPatience = Duration.seconds(1)

    /// The guard of a cycle; nil when its socket cannot be made.
    package init?(cycle: String, locations: Locations) {
        self.cycle = cycle
        self.locations = locations
        settings = (try? SettingsFile.read(locations.configuration)) ?? Settings()
        guard let runDirectory = try? RunDirectory(path: locations.runDirectory),
            let listener = try? LocalSocket.listen(Guard.socketName(of: cycle), in: runDirectory)
        else { return nil }
        self.runDirectory = runDirectory
        self.listener = consume listener
    }

    /// The end of the wait.
    private enum Wake {
        case thawed
        case limit
        case freezeDied
    }

    /// Waits for the thaw; thaws itself when none comes.
    package func run() {
        // Holders are the guard's children, and nobody needs their status.
        signal(SIGCHLD, SIG_IGN)
        signal(SIGPIPE, SIG_IGN)
        try? Messages.send(GuardLinkMessage.ready, to: link)
        // The guard waits for minutes with next to nothing to do.
        clinux_drop_code_pages()
        let wake = wait()
        runDirectory.remove(Guard.socketName(of: cycle))
        listener = nil
        if wake == .thawed { return }
        guard let context = try? CycleContext(locations: locations) else { return }
        let expiry = Expiry(cycle: cycle, context: context, settings: settings, begin: .now())
        if wake == .limit { expiry.endWindow() } else { expiry.recoverAfterKill() }
    }

    private func wait() -> Wake {
        // A freeze keeps its own limits; this deadline is for a freeze that hangs in the kernel.
        var deadline = MonotonicTime.now() + settings.freezeTimeout + settings.holdLimit
        let watch = LeftoverWatch(cycle: cycle, runDirectory: runDirectory)
        var isFrozen = false
        var linkIsOpen = true
        while true {
            var waiting = [pollfd(linkIsOpen ? link.number : nil), pollfd(listener?.number)]
            waiting += watch.polled
            pollDescriptors(&waiting, until: deadline)
            watch.note(waiting[2...])
            if waiting[0].isReady {
                do throws(MessageError) {
                    switch try Messages.receive(GuardLinkMessage.self, from: link).message {
                    case .frozen:
                        isFrozen = true
                        watch.begin()
                        deadline = .now() + settings.holdLimit
                    case .rehearsed:
                        watch.begin()
                        deadline = .now() + settings.holdLimit
                    case .ended:
                        return .thawed
                    case .ready:
                        break
                    }
                } catch let error where error.endsSocket {
                    if !isFrozen { return .freezeDied }
                    linkIsOpen = false
                } catch {
                    // A message that is not understood leaves the deadline, which ends the window.
                }
            }
            if waiting[1].isReady, serve() { return .thawed }
            if .now() >= deadline { return .limit }
        }
    }

    /// Serves one connection; true when its message says that the window has ended.
    private func serve() -> Bool {
        guard let number = listener?.number, let connection = try? LocalSocket.accept(number) else { return false }
        do throws(MessageError) {
            var received = try Messages.receive(
                GuardMessage.self, from: connection, until: .now() + Self.connectionPatience)
            switch received.message {
            case .ended:
                return true
            case .startHolder:
                guard let socket = received.descriptor.take() else { return false }
                do throws(Errno) {
                    try Holder.start(socket, runDirectory: locations.runDirectory)
                } catch {
                    answer(.refused("the holder cannot be started: \(error)"), connection)
                    return false
                }
                answer(.started, connection)
            case .started, .refused:
                throw .unknown(kind: received.message.kind.rawValue)
            }
        } catch {
            answer(.refused("\(error)"), connection)
        }
        return false
    }

    private func answer(_ message: GuardMessage, _ connection: borrowing Descriptor) {
        try? Messages.send(message, to: connection, until: .now() + Self.connectionPatience)
    }
}
