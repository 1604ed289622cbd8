import CLinux
import FreezeHookBase
import Glibc
import SystemPackage

/// The detached process that keeps one session open from freeze to thaw.
///
/// Descriptor 0 is a socket to the `hold` that asked for it; `release` comes over its own socket in the run directory. It
/// writes nothing but the cycle record, which lies in memory.
package final class Holder {
    /// The word by which the program knows that it is to be a holder.
    package static let command = "holder"

    // What holders are told, and say.
    static let output: Character = "O"
    static let done: Character = "R"
    static let failed: Character = "X"
    static let release: Character = "L"

    // Of what the client says at its end, for the log.
    private static let lastWords = 100

    private let request: HoldRequest
    private let runDirectory: RunDirectory
    private let signals: SignalDescriptor
    private let asker: Int32 = 0
    private var listener: Int32 = -1
    private let record: CycleRecorder
    private let begin = MonotonicTime.now()
    /// When and why the session ended before it should have.
    private var loss: (time: WallTime, reason: String)?

    /// A holder in the run directory; it reads what it is to hold from descriptor 0. nil when nobody tells it.
    package init?(runDirectory: FilePath) {
        guard let directory = try? RunDirectory(path: runDirectory), let signals = try? SignalDescriptor(),
            let request = HoldRequest(from: 0)
        else { return nil }
        self.runDirectory = directory
        self.signals = signals
        self.request = request
        record = CycleRecorder(in: directory, .existing)
    }

    static func socketName(of hold: String) -> String { "hold-\(hold)" }

    /// Starts a holder that is told over the other end of `socket` what to hold.
    static func start(_ socket: Int32, runDirectory: FilePath) -> Bool {
        let spawn = Spawn.ownPart([Array(command.utf8), runDirectory.bytes], socket: socket)
        return (try? spawn.start()) != nil
    }

    /// Opens the session, keeps it, and ends it.
    package func run() {
        guard listen() else { return fail("a session of the name \(request.name) is already held; release it first") }
        defer { removeSocket(telling: "the session \(request.name) has just ended") }
        record.append(.hold(name: request.name, hook: request.hook, holder: ProcessIdentity(of: getpid())))
        let client: HeldClient
        do {
            client = try HeldClient(request)
        } catch {
            record.append(.released(hold: request.name))
            return fail("\(SafeText.clean(request.client)) cannot be started: \(error)")
        }
        record.append(.client(hold: request.name, client.process))
        ClientNote(runDirectory: runDirectory, hold: request.name).write(client.process)
        if let reason = waitUntilReady(client) {
            client.end(grace: request.killGrace)
            record.append(.released(hold: request.name))
            return fail(reason)
        }
        Messages.send(Self.done, to: asker)
        close(asker)
        keep(client)
    }

    private func fail(_ reason: String) {
        Messages.send(Self.failed, Array(reason.utf8), to: asker)
    }

    /// Makes the socket; one that a killed holder has left is replaced.
    private func listen() -> Bool {
        let name = Self.socketName(of: request.name)
        // Between bind(2) and listen(2) a socket turns everybody away, as one does that a killed holder has left: who
        // asks beside this one must not take it for such.
        return runDirectory.withLock(named: "\(name).lock") {
            listener = clinux_listen(runDirectory.descriptor, name)
            if listener >= 0 { return true }
            let other = clinux_connect(runDirectory.descriptor, name)
            guard other < 0 else {
                close(other)
                return false
            }
            runDirectory.remove(name)
            listener = clinux_listen(runDirectory.descriptor, name)
            return listener >= 0
        }
    }

    /// Removes the socket; those who still wait behind it are told why.
    private func removeSocket(telling reason: String) {
        guard listener >= 0 else { return }
        runDirectory.remove(Self.socketName(of: request.name))
        ClientNote(runDirectory: runDirectory, hold: request.name).remove()
        while Messages.wait(for: listener, until: .now()) {
            let connection = clinux_accept(listener)
            guard connection >= 0 else { break }
            // Unread words would make the kernel answer with a reset in our place.
            _ = Messages.receive(from: connection)
            Messages.send(Self.failed, Array(reason.utf8), to: connection)
            close(connection)
        }
        close(listener)
        listener = -1
    }

    /// Waits for the line that says that the session stands; returns why it does not.
    private func waitUntilReady(_ client: HeldClient) -> String? {
        guard let pattern = Pattern(request.ready) else { return "'\(request.ready)' is no regular expression" }
        let deadline = begin + request.timeout
        while true {
            let event = wait(client, beside: asker, until: deadline)
            for line in event.lines { Messages.send(Self.output, Array(line.utf8), to: asker) }
            if event.lines.contains(where: pattern.matches)
                || !client.openLine.isEmpty && pattern.matches(client.openLine)
            {
                return nil
            }
            if client.ended != nil { return "the session was not ready: \(client.endingText)" }
            if event.descriptorIsReady { return "whoever asked for the session has gone" }
            if signals.stopRequest != nil { return "interrupted" }
            if .now() >= deadline { return "the session was not ready within \(DurationText.format(request.timeout))" }
        }
    }

    /// What one wait has brought.
    private struct WaitEvent {
        var lines: [String]
        var descriptorIsReady: Bool
    }

    private func wait(_ client: HeldClient, beside descriptor: Int32, until moment: MonotonicTime?) -> WaitEvent {
        var waiting =
            client.polled + [
                pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0),
                pollfd(fd: signals.descriptor, events: Int16(POLLIN), revents: 0),
            ]
        poll(&waiting, nfds_t(waiting.count), moment.map { ($0 - .now()).pollMilliseconds } ?? -1)
        var lines = client.exchange(waiting[..<2])
        if waiting[3].revents != 0, signals.take() {
            client.reap()
            if client.ended != nil { lines += client.readRest() }
        }
        return WaitEvent(lines: lines, descriptorIsReady: waiting[2].revents != 0)
    }

    /// Keeps the session until it is released, the time is over, or this process is told to stop.
    private func keep(_ client: HeldClient) {
        let deadline = request.limit.map { begin + $0 }
        while true {
            let event = wait(client, beside: listener, until: deadline)
            if client.ended != nil && loss == nil { lose(client.endingText) }
            if event.descriptorIsReady, answer(client) { return }
            if let signal = signals.stopRequest {
                return giveUp(client, "its holder was ended by \(signalName(signal))")
            }
            if let deadline, .now() >= deadline { return giveUp(client, "nobody released it in time") }
        }
    }

    private func lose(_ reason: String) {
        let time = WallTime.now()
        loss = (time, reason)
        record.append(.lost(hold: request.name, time: time, reason: reason))
    }

    private func giveUp(_ client: HeldClient, _ reason: String) {
        if loss == nil { lose(reason) }
        _ = end(client)
    }

    /// Answers one `release`; true when the session has ended with it.
    private func answer(_ client: HeldClient) -> Bool {
        let connection = clinux_accept(listener)
        guard connection >= 0 else { return false }
        defer { close(connection) }
        guard Messages.receive(from: connection)?.letter == Self.release else { return false }
        // It may have ended since the last look.
        client.reap()
        if client.ended != nil && loss == nil { lose(client.endingText) }
        if loss == nil {
            let lines = end(client)
            for line in lines { Messages.send(Self.output, Array(line.utf8), to: connection) }
            if client.endedWell {
                record.append(.released(hold: request.name))
            } else {
                lose("its release failed: \(client.endingText)")
            }
        }
        let lossText = loss.map { "the session \(request.name) had ended at \($0.time.rfc3339): \($0.reason)" }
        // Before the answer: whoever gets it may open a session of the same name at once.
        removeSocket(telling: lossText ?? "the session \(request.name) has been released already")
        if let lossText {
            Messages.send(Self.failed, Array(lossText.utf8), to: connection)
        } else {
            Messages.send(Self.done, to: connection)
        }
        return true
    }

    /// Sends the client its last words, waits, and kills what does not go; returns what it said.
    private func end(_ client: HeldClient) -> [String] {
        var lines: [String] = []
        client.finishInput(with: request.release)
        let deadline = MonotonicTime.now() + request.timeout
        while client.ended == nil && .now() < deadline {
            lines = (lines + wait(client, beside: -1, until: deadline).lines).suffix(Self.lastWords)
        }
        client.end(grace: request.killGrace)
        return lines
    }
}
