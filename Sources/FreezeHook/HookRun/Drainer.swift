// SPDX-License-Identifier: Apache-2.0

import FreezeHookBase
import Glibc
import SystemPackage

/// The detached process that reads the output of processes that hooks left running.
///
/// Descriptor 0 is a socket that brings pipes (DrainerMessage). A connection to the drainer's own socket in the run
/// directory fetches the kept lines (FetchMessage); later output is dropped. The end of the last pipe ends the drainer.
package final class Drainer {
    // Lines that no thaw fetches are given up after a day.
    private static let patience = Duration.seconds(86_400)
    // A removed run directory wakes nobody.
    private static let lookInterval = Duration.seconds(5)
    // A connection that is silent, or does not read, must not keep the drainer from its pipes.
    private static let connectionPatience = Duration.seconds(1)
    // The output of further pipes is read and dropped.
    private static let keptPipes = 64

    /// The socket that brings pipes.
    private let control = Descriptor(owning: 0)
    private var controlIsOpen = true
    // Not `let`: the compiler takes optional chaining on such a property for a consumption.
    private var listener: Descriptor?
    private let runDirectory: RunDirectory?
    private let socketName: String
    private var pipes: [LeftoverPipe] = []
    private var ended: [LeftoverPipe] = []
    private var isFetched = false

    /// A drainer whose socket is `socketName` in the directory; an empty path means that it has none.
    package init(socketName: String, runDirectory: FilePath) {
        self.socketName = socketName
        let directory = runDirectory.isEmpty ? nil : try? RunDirectory(path: runDirectory)
        self.runDirectory = directory
        if let directory { listener = try? LocalSocket.listen(socketName, in: directory) } else { listener = nil }
        // Pipes of many hooks may stay open for days: as many as the system allows.
        DescriptorLimit.raiseToHardLimit()
    }

    /// Reads until no pipe is open and no lines wait to be fetched.
    package func run() {
        try? Messages.send(DrainerMessage.ready, to: control, until: .now() + Self.connectionPatience)
        let end = MonotonicTime.now() + Self.patience
        while controlIsOpen || !pipes.isEmpty || (mayBeFetched && .now() < end) {
            var waiting = [pollfd(controlIsOpen ? control.number : nil), pollfd(listener?.number)]
            waiting += pipes.map(\.polled)
            // Without a socket in the run directory only pipes are waited for.
            pollDescriptors(&waiting, until: mayBeFetched ? min(end, .now() + Self.lookInterval) : nil)
            // One read of each pipe in a turn: a writer that never pauses must not keep the drainer from its sockets.
            for index in pipes.indices.reversed() where waiting[index + 2].isReady { read(index) }
            if waiting[0].isReady { accept() }
            if waiting[1].isReady { deliver() }
            if !isFetched && (.now() >= end || !socketIsThere) { giveUpLines() }
        }
        if let runDirectory, socketIsThere { runDirectory.remove(socketName) }
    }

    private var mayBeFetched: Bool { listener?.number != nil && !isFetched }

    /// Whether the socket has not been removed: with it goes the only way to this process.
    private var socketIsThere: Bool {
        guard let runDirectory, listener?.number != nil else { return false }
        return runDirectory.has(socketName)
    }

    /// Drops the kept lines: nobody will fetch them.
    private func giveUpLines() {
        for pipe in pipes { pipe.forget() }
        ended = []
        isFetched = true
    }

    private func accept() {
        do throws(MessageError) {
            var received = try Messages.receive(DrainerMessage.self, from: control, until: .now())
            guard case .pipe(let hook) = received.message, let descriptor = received.descriptor.take() else { return }
            let isKept = pipes.count + ended.count < Self.keptPipes && !isFetched
            pipes.append(LeftoverPipe(descriptor, hook: hook, isKept: isKept))
        } catch {
            // A message that is not understood loses only its own pipe.
            controlIsOpen = !error.endsSocket
        }
    }

    private func read(_ index: Int) {
        pipes[index].read()
        if !pipes[index].isOpen { ended.append(pipes.remove(at: index)) }
    }

    /// Answers one connection with all kept lines.
    private func deliver() {
        guard let number = listener?.number, let connection = try? LocalSocket.accept(number) else { return }
        func send(_ message: FetchMessage) throws(MessageError) {
            try Messages.send(message, to: connection, until: .now() + Self.connectionPatience)
        }
        do throws(MessageError) {
            let request = try Messages.receive(
                FetchMessage.self, from: connection, until: .now() + Self.connectionPatience)
            guard case .fetch = request.message else { throw .unknown(kind: request.message.kind.rawValue) }
        } catch {
            try? send(.refused("\(error)"))
            return
        }
        do throws(MessageError) {
            for pipe in ended + pipes {
                pipe.readAvailable()
                for text in pipe.kept { try send(.line(Line(hook: pipe.hook, text: text))) }
                pipe.forget()
            }
        } catch {
            // Another may fetch what this one has not taken. After a failure of this side it is taken for gone.
            guard case .failed = error else { return }
            return giveUpLines()
        }
        try? send(.done)
        giveUpLines()
    }

    /// One line of a process that a hook left running.
    package struct Line: Equatable {
        /// The name of the hook.
        package var hook: String
        /// The line, cleaned.
        package var text: String
    }
}
