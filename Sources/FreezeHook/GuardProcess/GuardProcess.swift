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
    /// The guard's own socket; nil after the wait, and when it cannot be made.
    private var listener: Descriptor?
    /// Why there is no such socket.
    private var socketError: Errno?
    private var holders: [ProcessIdentity] = []
    /// The pipes of what hooks left running, for which there was no drainer.
    private var pipes: [LeftoverPipe] = []
    private let link = Descriptor(owning: 0)

    // A connection that is silent must not keep the guard from its limit.
    private static let connectionPatience = Duration.seconds(1)

    /// The guard of a cycle; nil without a run directory.
    package init?(cycle: String, locations: Locations) {
        self.cycle = cycle
        self.locations = locations
        settings = (try? SettingsFile.read(locations.configuration)) ?? Settings()
        guard let runDirectory = try? RunDirectory(path: locations.runDirectory) else { return nil }
        self.runDirectory = runDirectory
        do throws(Errno) {
            listener = try LocalSocket.listen(Guard.socketName(of: cycle), in: runDirectory)
        } catch {
            listener = nil
            socketError = error
        }
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
        let greeting = socketError.map { GuardLinkMessage.unreachable("\($0)") } ?? .ready
        try? Messages.send(greeting, to: link, until: .now() + Self.connectionPatience)
        // The guard waits for minutes with next to nothing to do.
        clinux_drop_code_pages()
        let wake = wait()
        runDirectory.remove(Guard.socketName(of: cycle))
        listener = nil
        if wake != .thawed { endWindow(wake) }
        endHolders()
        // What hooks left running gets no SIGPIPE from the end of the window either.
        while !pipes.isEmpty {
            var waiting = pipes.map(\.polled)
            pollDescriptors(&waiting, until: nil)
            readPipes(waiting[...])
        }
    }

    private func endWindow(_ wake: Wake) {
        let context = CycleContext(locations: locations)
        let expiry = Expiry(cycle: cycle, context: context, settings: settings, begin: .now())
        if wake == .limit { expiry.endWindow() } else { expiry.recoverAfterKill() }
    }

    /// Ends the sessions that nobody has released: with the run directory their sockets may have gone.
    private func endHolders() {
        for holder in holders where holder.isAlive {
            ProcessFamily(leader: holder).end(grace: settings.killGrace)
        }
    }

    /// Reads each pipe once where poll(2) shows it ready.
    private func readPipes(_ waiting: ArraySlice<pollfd>) {
        for (pipe, entry) in zip(pipes, waiting) where entry.isReady { pipe.read() }
        pipes.removeAll { !$0.isOpen }
    }

    private func wait() -> Wake {
        // A freeze keeps its own limits; this deadline is for a freeze that hangs in the kernel.
        var deadline = MonotonicTime.now() + settings.freezeTimeout + settings.holdLimit
        var isFrozen = false
        var linkIsOpen = true
        while true {
            var waiting = [pollfd(linkIsOpen ? link.number : nil), pollfd(listener?.number)] + pipes.map(\.polled)
            pollDescriptors(&waiting, until: deadline)
            readPipes(waiting[2...])
            if waiting[0].isReady {
                do throws(MessageError) {
                    switch try Messages.receive(GuardLinkMessage.self, from: link, until: .now()).message {
                    case .frozen:
                        isFrozen = true
                        deadline = .now() + settings.holdLimit
                    case .rehearsed:
                        deadline = .now() + settings.holdLimit
                    case .ended:
                        return .thawed
                    case .ready, .unreachable:
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
                    holders.append(try Holder.start(socket, runDirectory: locations.runDirectory))
                } catch {
                    answer(.refused("the holder cannot be started: \(error)"), connection)
                    return false
                }
                answer(.started, connection)
            case .keep(let hook):
                guard let pipe = received.descriptor.take() else { return false }
                pipes.append(LeftoverPipe(pipe, hook: hook, isKept: false))
                answer(.kept, connection)
            case .started, .kept, .refused:
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
