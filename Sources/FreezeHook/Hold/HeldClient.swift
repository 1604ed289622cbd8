// SPDX-License-Identifier: Apache-2.0

import FreezeHookBase
import Glibc
import SystemPackage

/// The client of a held session: its standard input is ours to write, its output is read and kept within bounds.
final class HeldClient {
    let process: ProcessIdentity
    /// nil when the client has been sent everything, or reads no more.
    private var input: Descriptor?
    /// nil after its end.
    private var output: Descriptor?
    private var waitingInput: ArraySlice<UInt8>
    private var inputEndsWithWaiting = false
    private var splitter = LineSplitter()
    private var lastLines: [String] = []
    /// How the client has ended; nil while it runs.
    private(set) var ended: WaitStatus?

    private static let linesKept = 20
    // What one turn reads: a client that never pauses must not keep the holder from everything else.
    private static let turnSize = 16 * 1024
    // What a pipe holds by default (pipe(7)), and so all that an ended client can have left in it.
    private static let pipeSize = 64 * 1024

    /// Starts the client; it is given the statements as soon as it reads them.
    init(_ request: HoldRequest) throws(Errno) {
        let toClient = try Descriptor.pipe()
        let clientInput = Descriptor(owning: toClient.readEnd)
        let input = Descriptor(owning: toClient.writeEnd)
        let fromClient = try Descriptor.pipe()
        let output = Descriptor(owning: fromClient.readEnd)
        let clientOutput = Descriptor(owning: fromClient.writeEnd)
        var spawn = Spawn(path: request.client, arguments: request.arguments, environment: request.environment)
        spawn.standardInput = clientInput.number
        spawn.standardOutput = clientOutput.number
        spawn.standardError = clientOutput.number
        process = ProcessIdentity(of: try spawn.start())
        for end in [input.number, output.number] { _ = fcntl(end, F_SETFL, O_NONBLOCK) }
        self.input = consume input
        self.output = consume output
        waitingInput = request.statements[...]
    }

    /// What `poll` has to watch: the output, and the input while something waits to be written.
    var polled: [pollfd] {
        [pollfd(output?.number), pollfd(waitingInput.isEmpty ? nil : input?.number, for: POLLOUT)]
    }

    /// Takes what has come of the output and writes what can be written; returns the lines, an unfinished one included.
    func exchange(_ polled: ArraySlice<pollfd>) -> [String] {
        if let writable = polled.last, writable.isReady { writeWaiting() }
        guard let readable = polled.first, readable.isReady else { return [] }
        return readLines()
    }

    /// The lines that one read completes, at most 16 KiB of them; the rest waits for the next turn.
    private func readLines() -> [String] {
        guard let output = output?.number else { return [] }
        var buffer = [UInt8](repeating: 0, count: Self.turnSize)
        // Nothing to read now (EAGAIN), or never again: its end tells the rest.
        guard let count = try? call({ read(output, &buffer, buffer.count) }) else { return [] }
        var lines = splitter.lines(completedBy: buffer[..<count])
        if count == 0 {
            self.output = nil
            if let line = splitter.unfinishedLine() { lines.append(line) }
        }
        lastLines = (lastLines + lines).suffix(Self.linesKept)
        return lines
    }

    /// What a client that has ended has left in the pipe. What it has started may go on printing, and is not waited for.
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

    /// Writes once what the client takes of its input.
    private func writeWaiting() {
        if let input = input?.number, !waitingInput.isEmpty {
            do throws(Errno) {
                let count = try call { waitingInput.withUnsafeBytes { write(input, $0.baseAddress, $0.count) } }
                waitingInput = waitingInput.dropFirst(count)
            } catch .wouldBlock {
                return
            } catch {
                // EPIPE: it no longer reads, and its end tells the rest.
                self.input = nil
            }
        }
        if inputEndsWithWaiting && waitingInput.isEmpty { input = nil }
    }

    /// Notes whether it has ended.
    func reap() {
        var status: Int32 = 0
        if ended == nil, waitpid(process.pid, &status, WNOHANG) == process.pid { ended = WaitStatus(status) }
    }

    /// Ends it and whatever it has started; its output is taken meanwhile, so that it can say its last words.
    func end(grace: Duration) {
        ProcessFamily(leader: process).end(grace: grace) { moment in
            var waiting = polled
            pollDescriptors(&waiting, until: moment)
            _ = exchange(waiting[...])
            return true
        }
        reap()
        _ = readRest()
    }

    /// How it ended, in words.
    var endingText: String {
        let words =
            switch ended {
            case nil: "the client still runs"
            case .exited(let status): "the client ended with status \(status)"
            case .signaled(let signal): "the client was killed by \(signalName(signal))"
            }
        return lastLines.last.map { ended == nil ? words : "\(words): \($0)" } ?? words
    }

    /// Whether it has ended with exit status 0.
    var endedWell: Bool { ended == .exited(0) }
}
