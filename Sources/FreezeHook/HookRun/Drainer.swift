// SPDX-License-Identifier: Apache-2.0

import FreezeHookBase
import Glibc
import SystemPackage

/// The detached process that reads the output of what hooks left running.
///
/// Descriptor 0 is a socket over which pipes come, each with the name of its hook. A connection to its own socket in the
/// run directory fetches what was said so far; what comes after that is read and thrown away. It ends with its last pipe.
package final class Drainer {
    // Words that no thaw fetches are given up after a day.
    private static let patience = Duration.seconds(86_400)
    // Nobody who connects and is silent, or does not read, may keep the drainer from its pipes.
    private static let connectionPatience = Duration.seconds(1)
    // Further pipes are read, but what they say is not kept.
    private static let keptPipes = 64

    /// A pipe of one hook and what it said, until that is fetched.
    private final class Pipe {
        let hook: String
        let capture: OutputCapture
        /// nil when no writer is left.
        var descriptor: Descriptor?
        private let lines: Lines

        init(_ descriptor: consuming Descriptor, hook: String, isKept: Bool) {
            let lines = Lines(isKeeping: isKept)
            self.hook = hook
            self.lines = lines
            capture = OutputCapture { if lines.isKeeping { lines.kept += $0 } }
            self.descriptor = consume descriptor
        }

        var kept: [String] { lines.kept }

        /// Drops what was kept, and all that is still said.
        func forget() {
            lines.kept = []
            lines.isKeeping = false
        }

        /// Reads once, at most 64 KiB.
        func read() {
            if let number = descriptor?.number, case .end = capture.read(from: number) { descriptor = nil }
        }

        /// Reads what there is, within bounds: a writer that never pauses is left after 1 MiB.
        func readAvailable() {
            if let number = descriptor?.number { _ = capture.readAvailable(from: number) }
            capture.finish()
        }
    }

    private final class Lines {
        var kept: [String] = []
        var isKeeping: Bool
        init(isKeeping: Bool) { self.isKeeping = isKeeping }
    }

    /// The socket over which pipes come.
    private let control = Descriptor(owning: 0)
    private var controlIsOpen = true
    // Not `let`: the compiler takes optional chaining on such a property for a consumption.
    private var listener: Descriptor?
    private let runDirectory: RunDirectory?
    private let socketName: String
    private var pipes: [Pipe] = []
    private var ended: [Pipe] = []
    private var isFetched = false

    /// A drainer whose socket is `socketName` in the directory; an empty path means that it has none.
    package init(socketName: String, runDirectory: FilePath) {
        self.socketName = socketName
        let directory = runDirectory.isEmpty ? nil : try? RunDirectory(path: runDirectory)
        self.runDirectory = directory
        if let directory { listener = try? LocalSocket.listen(socketName, in: directory) } else { listener = nil }
        // Its pipes outlive those of any hook: as many as the system allows.
        var limit = rlimit()
        let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
        if getrlimit(resource, &limit) == 0 {
            limit.rlim_cur = limit.rlim_max
            _ = setrlimit(resource, &limit)
        }
    }

    /// Reads until there is nothing left to read and nothing left to be fetched.
    package func run() {
        try? Messages.send(DrainerMessage.ready, to: control)
        let end = MonotonicTime.now() + Self.patience
        while controlIsOpen || !pipes.isEmpty || (hasSocket && !isFetched && .now() < end) {
            var waiting = [pollfd(controlIsOpen ? control.number : nil), pollfd(listener?.number)]
            waiting += pipes.map { pollfd($0.descriptor?.number) }
            // Once its words are given up only its pipes are waited for.
            pollDescriptors(&waiting, until: .now() < end ? end : nil)
            // One read of each in a turn: a pipe that never pauses keeps nobody from being heard.
            for index in pipes.indices.reversed() where waiting[index + 2].isReady { read(index) }
            if waiting[0].isReady { accept() }
            if waiting[1].isReady { deliver() }
        }
        if let runDirectory, hasSocket { runDirectory.remove(socketName) }
    }

    private var hasSocket: Bool { listener?.number != nil }

    private func accept() {
        do throws(MessageError) {
            var received = try Messages.receive(DrainerMessage.self, from: control)
            guard case .pipe(let hook) = received.message, let descriptor = received.descriptor.take() else { return }
            let isKept = pipes.count + ended.count < Self.keptPipes && !isFetched
            pipes.append(Pipe(descriptor, hook: hook, isKept: isKept))
        } catch {
            // A message that is not understood loses its own pipe alone.
            controlIsOpen = !error.endsSocket
        }
    }

    private func read(_ index: Int) {
        pipes[index].read()
        if pipes[index].descriptor == nil { ended.append(pipes.remove(at: index)) }
    }

    /// Answers one connection: gives it all that was kept.
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
        for pipe in ended + pipes {
            pipe.readAvailable()
            for text in pipe.kept {
                guard (try? send(.line(Line(hook: pipe.hook, line: text)))) != nil else { return }
            }
            pipe.forget()
        }
        try? send(.done)
        ended = []
        isFetched = true
    }

    /// One line that something left running has said, and the hook that left it.
    package struct Line: Equatable {
        /// The name of the hook.
        package var hook: String
        /// What it printed, cleaned.
        package var line: String
    }

    /// What a drainer has handed over.
    package struct Fetched {
        package var lines: [Line] = []
        /// Whether that is all it had kept; otherwise it was killed.
        package var isComplete = false
    }

    /// What the drainer behind this socket has kept.
    package static func fetch(from socketName: String, in runDirectory: RunDirectory) -> Fetched {
        var fetched = Fetched()
        guard let connection = try? LocalSocket.connect(to: socketName, in: runDirectory),
            (try? Messages.send(FetchMessage.fetch, to: connection)) != nil
        else { return fetched }
        while let message = try? Messages.receive(FetchMessage.self, from: connection).message {
            switch message {
            case .line(let line): fetched.lines.append(line)
            case .done: fetched.isComplete = true
            case .fetch, .refused: break
            }
        }
        return fetched
    }
}
