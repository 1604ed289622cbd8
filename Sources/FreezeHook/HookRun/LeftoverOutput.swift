// SPDX-License-Identifier: Apache-2.0

import FreezeHookBase
import Glibc
import SystemPackage

/// The output of processes that hooks left running. A drainer reads their pipes as long as they have writers, and keeps
/// the lines until the thaw fetches them. Where none can be started, the cycle's guard reads and drops them.
final class LeftoverOutput {
    /// What becomes of the output.
    enum Event {
        /// A drainer is about to be started, with a socket of this name in the run directory.
        case starting(socket: String)
        /// No drainer is behind that socket.
        case notStarted(socket: String)
        /// The guard has taken the pipe of this hook, because there is no drainer.
        case taken(hook: Hook, OwnProcessError)
        /// Nobody reads the pipe: its writers get SIGPIPE.
        case closed(hook: Hook, OwnProcessError)
    }

    private let runDirectory: RunDirectory?
    private let cycle: String
    private let handOver: (borrowing Descriptor, Hook) -> Bool
    private let note: (Event) -> Void
    private var drainer: DrainerLink?
    private var count = 0

    /// - Parameters:
    ///   - handOver: offers a pipe to the guard; returns whether the guard has taken it.
    ///   - note: gets the events, `starting` before the start.
    init(
        runDirectory: RunDirectory?, cycle: String, handOver: @escaping (borrowing Descriptor, Hook) -> Bool,
        note: @escaping (Event) -> Void
    ) {
        self.handOver = handOver
        self.runDirectory = runDirectory
        self.cycle = cycle
        self.note = note
    }

    /// Hands a pipe's read end on; the caller closes its own.
    func take(_ descriptor: borrowing Descriptor, of hook: Hook) {
        if let drainer {
            // A drainer that was killed in between is replaced.
            do throws(MessageError) { return try drainer.take(descriptor, of: hook) } catch { self.drainer = nil }
        }
        do throws(OwnProcessError) {
            let drainer = try startDrainer()
            do throws(MessageError) { try drainer.take(descriptor, of: hook) } catch { throw .noAnswer(error) }
            self.drainer = drainer
        } catch {
            note(handOver(descriptor, hook) ? .taken(hook: hook, error) : .closed(hook: hook, error))
        }
    }

    private func startDrainer() throws(OwnProcessError) -> DrainerLink {
        // The socket's name is unique among cycles and their phases; a drainer may live on for days.
        count += 1
        let name = "\(Drainer.socketPrefix)\(cycle)-\(getpid())\(count == 1 ? "" : "-\(count)")"
        if runDirectory != nil { note(.starting(socket: name)) }
        do throws(OwnProcessError) {
            return try DrainerLink(socketName: name, runDirectory: runDirectory)
        } catch {
            runDirectory?.remove(name)
            note(.notStarted(socket: name))
            throw error
        }
    }
}
