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
    private let watch: LeftoverWatch

    // A connection that is silent must not keep the guard from its limit.
    private static let connectionPatience = Duration.seconds(1)

    /// The guard of a cycle; nil without a run directory.
    package init?(cycle: String, locations: Locations) {
        self.cycle = cycle
        self.locations = locations
        settings = (try? SettingsFile.read(locations.configuration)) ?? Settings()
        guard let runDirectory = try? RunDirectory(path: locations.runDirectory) else { return nil }
        self.runDirectory = runDirectory
        watch = LeftoverWatch(cycle: cycle, runDirectory: runDirectory)
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
        // A freeze keeps its own limits; this deadline is for a freeze that hangs in the kernel.
        var wake = wait(until: .now() + settings.freezeTimeout + settings.holdLimit, watchesFreeze: true)
        stopListening()
        var pauses = RetryPauses(first: settings.holdLimit / 5)
        while wake != .thawed {
            thaw(wake)
            endHolders()
            // Before the look at the record: a thaw that comes now tells this guard, or has ended the cycle already.
            listener = try? LocalSocket.listen(Guard.socketName(of: cycle), in: runDirectory)
            let held = heldHooks
            guard !held.isEmpty, let pause = pauses.next() else {
                if !held.isEmpty { tellEnd(of: held) }
                break
            }
            wake = wait(until: .now() + pause, watchesFreeze: false)
            stopListening()
        }
        stopListening()
        endHolders()
        // What hooks left running gets no SIGPIPE from the end of the window either.
        Guard.becomeReader()
        while !pipes.isEmpty {
            var waiting = pipes.map(\.polled)
            pollDescriptors(&waiting, until: nil)
            readPipes(waiting[...])
        }
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

    /// The hooks of this cycle that may still hold their application.
    private var heldHooks: [FilePath] {
        guard let record = CycleRecorder.read(in: runDirectory), record.id == cycle, record.isUnfinished else {
            return []
        }
        return record.mayBeHeld
    }

    private func tellEnd(of held: [FilePath]) {
        let log = EventLog(deferringIn: runDirectory)
        for path in held {
            let text = "\(path.name) may still be held, and the guard tries no more: call 'fsfreeze-hook thaw'"
            log.write(Event(.error, .mayBeHeld, text, [(.hook, path.name)]))
        }
    }

    private func stopListening() {
        runDirectory.remove(Guard.socketName(of: cycle))
        listener = nil
    }

    private func thaw(_ wake: Wake) {
        // Of its own for each try: the configuration may be mended meanwhile, and the lock goes with it.
        let context = CycleContext(locations: locations)
        let expiry = Expiry(cycle: cycle, context: context, settings: settings)
        let record = context.unfinishedCycle()
        if wake == .freezeDied {
            expiry.recoverAfterKill()
        } else if let record, record.id == cycle, record.moments[.thawing] != nil {
            expiry.tryAgain()
        } else {
            expiry.endWindow()
        }
    }

    private func wait(until moment: MonotonicTime, watchesFreeze: Bool) -> Wake {
        var deadline = moment
        var isFrozen = false
        var linkIsOpen = watchesFreeze
        while true {
            var waiting = [pollfd(linkIsOpen ? link.number : nil), pollfd(listener?.number)]
            waiting += pipes.map(\.polled) + watch.polled
            let ends = 2 + pipes.count
            pollDescriptors(&waiting, until: deadline)
            readPipes(waiting[2..<ends])
            watch.note(waiting[ends...])
            if waiting[0].isReady {
                do throws(MessageError) {
                    switch try Messages.receive(GuardLinkMessage.self, from: link, until: .now()).message {
                    case .frozen:
                        isFrozen = true
                        watch.begin()
                        deadline = .now() + settings.holdLimit
                    case .rehearsed:
                        watch.begin()
                        deadline = .now() + settings.holdLimit
                    case .unthawed:
                        isFrozen = true
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
