// SPDX-License-Identifier: Apache-2.0

import FreezeHookBase
import Glibc
import SystemPackage

/// The client of a held session, with pipes to its standard input and from its output.
final class HeldClient {
    let process: ProcessIdentity
    /// The write end of the client's input; nil when all is sent, or the client reads no more.
    private var input: Descriptor?
    /// The read end of the client's output; nil after its end.
    private var output: Descriptor?
    private var waitingInput: ArraySlice<UInt8>
    private var inputEndsWithWaiting = false
    private var splitter = LineSplitter()
    private var lastLines: [String] = []
    /// The client's status; nil while it runs.
    private(set) var ended: WaitStatus?

    private static let linesKept = 20
    // The bytes of one turn: a client that never pauses must not keep the holder from its sockets.
    private static let turnSize = 16 * 1024
    // The default capacity of a pipe (pipe(7)): an ended client cannot have left more.
    private static let pipeSize = 64 * 1024

    /// Starts the client, which gets the statements as it reads; the notes tell others of its process. Throws the errno of
    /// pipe(2) or execve(2).
    init(_ request: HoldRequest, notes: [ProcessNote]) throws(Errno) {
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
        spawn.notes = notes
        spawn.mustBeNoted = true
        process = ProcessIdentity(of: try spawn.start())
        for end in [input.number, output.number] { _ = fcntl(end, F_SETFL, O_NONBLOCK) }
        self.input = consume input
        self.output = consume output
        waitingInput = request.statements[...]
    }

    /// The entries for poll(2): the output, and the input while bytes wait to be written.
    var polled: [pollfd] {
        [pollfd(output?.number), pollfd(waitingInput.isEmpty ? nil : input?.number, for: POLLOUT)]
    }

    /// Reads output and writes input, each once where poll(2) shows it ready; returns the lines, at the end of output
    /// also an unfinished one.
    func exchange(_ polled: ArraySlice<pollfd>) -> [String] {
        if let writable = polled.last, writable.isReady { writeWaiting() }
        guard let readable = polled.first, readable.isReady else { return [] }
        return readLines()
    }

    /// The lines that one read completes, at most 16 KiB of them; the rest waits for the next turn.
    private func readLines() -> [String] {
        guard let output = output?.number else { return [] }
        var buffer = [UInt8](repeating: 0, count: Self.turnSize)
        // EAGAIN, or an error after which only the client's status matters.
        guard let count = try? call({ read(output, &buffer, buffer.count) }) else { return [] }
        var lines = splitter.lines(completedBy: buffer[..<count])
        if count == 0 {
            self.output = nil
            if let line = splitter.unfinishedLine() { lines.append(line) }
        }
        lastLines = (lastLines + lines).suffix(Self.linesKept)
        return lines
    }

    /// The lines that an ended client has left in the pipe. Its children may go on printing, and are not waited for.
    func readRest() -> [String] {
        (0..<Self.pipeSize / Self.turnSize).flatMap { _ in readLines() }
    }

    /// The line that no newline has ended, such as a prompt.
    var openLine: String { splitter.openLine }

    /// Sends the text and the end of input.
    func finishInput(with text: String) {
        if !text.isEmpty { waitingInput += Array(text.utf8) + (text.hasSuffix("\n") ? [] : [UInt8(ascii: "\n")]) }
        inputEndsWithWaiting = true
        writeWaiting()
    }

    /// Writes waiting input once, as much as the pipe takes.
    private func writeWaiting() {
        if let input = input?.number, !waitingInput.isEmpty {
            do throws(Errno) {
                let count = try call { waitingInput.withUnsafeBytes { write(input, $0.baseAddress, $0.count) } }
                waitingInput = waitingInput.dropFirst(count)
            } catch .wouldBlock {
                return
            } catch {
                // EPIPE: the client no longer reads, and only its status matters.
                self.input = nil
            }
        }
        if inputEndsWithWaiting && waitingInput.isEmpty { input = nil }
    }

    /// Fetches the client's status, if it has ended.
    func reap() {
        var status: Int32 = 0
        if ended == nil, waitpid(process.pid, &status, WNOHANG) == process.pid { ended = WaitStatus(status) }
    }

    /// Ends the client and all that it has started; its output is read meanwhile, for the last lines.
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

    /// The client's ending in words, with its last line.
    var endingText: String {
        let words =
            switch ended {
            case nil: "the client still runs"
            case .exited(let status): "the client ended with status \(status)"
            case .signaled(let signal): "the client was killed by \(signalName(signal))"
            }
        return lastLines.last.map { ended == nil ? words : "\(words): \($0)" } ?? words
    }

    /// Whether the client has ended with exit status 0.
    var endedWell: Bool { ended == .exited(0) }
}
