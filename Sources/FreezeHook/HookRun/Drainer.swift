import CLinux
import FreezeHookBase
import Glibc
import SystemPackage

/// The detached process that reads the output of what hooks left running.
///
/// Descriptor 0 is a socket over which pipes come, each with the name of its hook. A connection to its own socket in the
/// run directory fetches what was said so far; what comes after that is read and thrown away. It ends with its last pipe.
package final class Drainer {
    /// The word by which the program knows that it is to be a drainer.
    package static let command = "drain-output"

    // What it says, and is told.
    private static let ready: Character = "R"
    /// With a descriptor: a pipe to read, and the name of its hook.
    static let pipe: Character = "P"
    private static let word: Character = "W"

    // Words that no thaw fetches are given up after a day.
    private static let patience = Duration.seconds(86_400)
    // Further pipes are read, but what they say is not kept.
    private static let keptPipes = 64

    private struct Pipe {
        /// -1 when no writer is left.
        var descriptor: Int32
        var hook: String
        var capture: OutputCapture
        var lines: Lines
    }

    /// What one pipe said, until it is fetched.
    private final class Lines {
        var kept: [String] = []
        var isKeeping: Bool
        init(isKeeping: Bool) { self.isKeeping = isKeeping }
    }

    private let control: Int32 = 0
    private var controlIsOpen = true
    private let listener: Int32
    private let runDirectory: RunDirectory?
    private let socketName: String
    private var pipes: [Pipe] = []
    private var ended: [Pipe] = []
    private var fetched = false

    /// A drainer whose socket is `socketName` in the directory; an empty path means that it has none.
    package init(socketName: String, runDirectory: FilePath) {
        self.socketName = socketName
        self.runDirectory = runDirectory.isEmpty ? nil : try? RunDirectory(path: runDirectory)
        listener = self.runDirectory.map { clinux_listen($0.descriptor, socketName) } ?? -1
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
        Messages.send(Self.ready, to: control)
        let end = MonotonicTime.now() + Self.patience
        while controlIsOpen || !pipes.isEmpty || (!fetched && listener >= 0 && .now() < end) {
            var waiting = [pollfd(fd: controlIsOpen ? control : -1, events: Int16(POLLIN), revents: 0)]
            waiting.append(pollfd(fd: listener, events: Int16(POLLIN), revents: 0))
            waiting += pipes.map { pollfd(fd: $0.descriptor, events: Int16(POLLIN), revents: 0) }
            // Once its words are given up only its pipes are waited for.
            let rest = (end - .now()).pollMilliseconds
            poll(&waiting, nfds_t(waiting.count), rest == 0 ? -1 : rest)
            for index in pipes.indices.reversed() where waiting[index + 2].revents != 0 { read(index) }
            if waiting[0].revents != 0 { accept() }
            if waiting[1].revents != 0 { deliver() }
        }
        if let runDirectory, listener >= 0 { runDirectory.remove(socketName) }
    }

    private func accept() {
        guard let message = Messages.receive(from: control), message.descriptor >= 0 else {
            controlIsOpen = false
            return
        }
        let lines = Lines(isKeeping: pipes.count + ended.count < Self.keptPipes && !fetched)
        let capture = OutputCapture { if lines.isKeeping { lines.kept += $0 } }
        pipes.append(Pipe(descriptor: message.descriptor, hook: message.text, capture: capture, lines: lines))
    }

    private func read(_ index: Int) {
        guard case .end = pipes[index].capture.read(from: pipes[index].descriptor) else { return }
        var pipe = pipes.remove(at: index)
        close(pipe.descriptor)
        pipe.descriptor = -1
        ended.append(pipe)
    }

    /// Gives one connection all that was kept, line by line, each behind its hook's name and a NUL.
    private func deliver() {
        let connection = clinux_accept(listener)
        guard connection >= 0 else { return }
        defer { close(connection) }
        for pipe in ended + pipes {
            if pipe.descriptor >= 0 { _ = pipe.capture.readAvailable(from: pipe.descriptor) }
            pipe.capture.finish()
            for line in pipe.lines.kept {
                let message = Array(pipe.hook.utf8) + [0] + Array(line.utf8)
                guard Messages.send(Self.word, message, to: connection) else { return }
            }
            pipe.lines.kept = []
            pipe.lines.isKeeping = false
        }
        ended = []
        fetched = true
    }

    /// One line that something left running has said, and the hook that left it.
    package struct Line: Equatable {
        /// The name of the hook.
        package var hook: String
        /// What it printed, cleaned.
        package var line: String
    }

    /// What the drainer behind this socket has kept; nil when there is none any more.
    package static func fetch(from socketName: String, in runDirectory: RunDirectory) -> [Line]? {
        let connection = clinux_connect(runDirectory.descriptor, socketName)
        guard connection >= 0 else { return nil }
        defer { close(connection) }
        var words: [Line] = []
        while let message = Messages.receive(from: connection) {
            let parts = message.bytes.split(separator: 0, maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2 else { continue }
            words.append(
                Line(hook: String(decoding: parts[0], as: UTF8.self), line: String(decoding: parts[1], as: UTF8.self)))
        }
        return words
    }
}
