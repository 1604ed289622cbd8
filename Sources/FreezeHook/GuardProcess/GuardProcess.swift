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
    private let watch: LeftoverWatch

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
        watch = LeftoverWatch(cycle: cycle, runDirectory: runDirectory)
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
        // A freeze keeps its own limits; this deadline is for a freeze that hangs in the kernel.
        var wake = wait(until: .now() + settings.freezeTimeout + settings.holdLimit, watchesFreeze: true)
        stopListening()
        var pauses = RetryPauses(first: settings.holdLimit / 5)
        while wake != .thawed {
            thaw(wake)
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
        guard let context = try? CycleContext(locations: locations) else { return }
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
                    case .unthawed:
                        isFrozen = true
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
