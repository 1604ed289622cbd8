import CLinux
import FreezeHookBase
import Glibc
import SystemPackage

/// The client of a held session: its standard input is ours to write, its output is read and kept within bounds.
final class HeldClient {
    let process: ProcessIdentity
    private let input: Int32
    private let output: Int32
    private var waitingInput: ArraySlice<UInt8>
    private var inputIsOpen = true
    private var outputIsOpen = true
    private var splitter = LineSplitter()
    private(set) var lastLines: [String] = []
    /// The wait status, once it has ended.
    private(set) var ended: Int32?

    private static let linesKept = 20
    // What one turn reads: a client that never pauses must not keep the holder from everything else.
    private static let turnSize = 16 * 1024
    // What a pipe holds by default (pipe(7)), and so all that an ended client can have left in it.
    private static let pipeSize = 64 * 1024

    /// Starts the client; it is given the statements as soon as it reads them.
    init(_ request: HoldRequest) throws(Errno) {
        var spawn = Spawn(path: request.client, arguments: request.arguments, environment: request.environment)
        var toClient: [Int32] = [-1, -1]
        var fromClient: [Int32] = [-1, -1]
        guard clinux_pipe(&toClient) == 0 else { throw Errno(rawValue: errno) }
        guard clinux_pipe(&fromClient) == 0 else {
            let error = Errno(rawValue: errno)
            toClient.forEach { close($0) }
            throw error
        }
        defer {
            close(toClient[0])
            close(fromClient[1])
        }
        spawn.standardInput = toClient[0]
        spawn.standardOutput = fromClient[1]
        spawn.standardError = fromClient[1]
        do {
            process = ProcessIdentity(of: try spawn.start())
        } catch {
            close(toClient[1])
            close(fromClient[0])
            throw error
        }
        for end in [toClient[1], fromClient[0]] { _ = fcntl(end, F_SETFL, O_NONBLOCK) }
        input = toClient[1]
        output = fromClient[0]
        waitingInput = request.statements[...]
    }

    deinit {
        closeInput()
        if outputIsOpen { close(output) }
    }

    /// What `poll` has to watch: the output, and the input while something waits to be written.
    var polled: [pollfd] {
        [
            pollfd(fd: outputIsOpen ? output : -1, events: Int16(POLLIN), revents: 0),
            pollfd(fd: inputIsOpen && !waitingInput.isEmpty ? input : -1, events: Int16(POLLOUT), revents: 0),
        ]
    }

    /// Takes what has come of the output and writes what can be written; returns the lines, an unfinished one included.
    func exchange(_ polled: ArraySlice<pollfd>) -> [String] {
        if let writable = polled.last, writable.revents != 0 { writeWaiting() }
        guard let readable = polled.first, readable.revents != 0 else { return [] }
        return readLines()
    }

    /// The lines that one read completes, at most 16 KiB of them; the rest waits for the next turn.
    private func readLines() -> [String] {
        guard outputIsOpen else { return [] }
        var buffer = [UInt8](repeating: 0, count: Self.turnSize)
        let count = read(output, &buffer, buffer.count)
        if count < 0 { return [] }
        var lines = splitter.lines(completedBy: buffer[..<count])
        if count == 0 {
            close(output)
            outputIsOpen = false
            if let line = splitter.unfinishedLine() { lines.append(line) }
        }
        lastLines = (lastLines + lines).suffix(Self.linesKept)
        return lines
    }

    /// What a client that has ended has left in the pipe. What it has started may still be printing, and is not waited for.
    func readRest() -> [String] {
        (0..<Self.pipeSize / Self.turnSize).flatMap { _ in readLines() }
    }

    /// A prompt, for one that waits without a newline.
    var openLine: String { splitter.openLine }

    /// Sends the last words and the end of input.
    func finishInput(with text: String) {
        if !text.isEmpty { waitingInput += Array(text.utf8) + (text.hasSuffix("\n") ? [] : [UInt8(ascii: "\n")]) }
        inputEndsWithWaiting = true
        writeWaiting()
    }

    private var inputEndsWithWaiting = false

    /// Writes once what the client takes of its input.
    private func writeWaiting() {
        if inputIsOpen && !waitingInput.isEmpty {
            let piece = waitingInput.prefix(Self.pipeSize)
            let count = piece.withUnsafeBytes { write(input, $0.baseAddress, $0.count) }
            if count < 0 {
                // EPIPE: it no longer reads, and its end tells the rest.
                if errno != EAGAIN && errno != EINTR { closeInput() }
                return
            }
            waitingInput = waitingInput.dropFirst(count)
        }
        if inputEndsWithWaiting && waitingInput.isEmpty { closeInput() }
    }

    private func closeInput() {
        if inputIsOpen { close(input) }
        inputIsOpen = false
    }

    /// Notes whether it has ended.
    func reap() {
        var status: Int32 = 0
        if ended == nil, waitpid(process.pid, &status, WNOHANG) == process.pid { ended = status }
    }

    /// Ends it and whatever it has started.
    func end(grace: Duration) {
        ProcessFamily(leader: process).end(grace: grace)
        reap()
    }

    /// How it ended, in words.
    var endingText: String {
        guard let ended else { return "the client still runs" }
        let signal = ended & 0x7f
        let words =
            signal == 0
            ? "the client ended with status \((ended >> 8) & 0xff)" : "the client was killed by \(signalName(signal))"
        return lastLines.last.map { "\(words): \($0)" } ?? words
    }

    /// Whether it has ended with exit status 0.
    var endedWell: Bool { ended == 0 }
}
