// SPDX-License-Identifier: Apache-2.0

import FreezeHookBase
import Glibc
import SystemPackage

/// The detached process that keeps one session open from freeze to thaw.
///
/// Descriptor 0 is a socket to `hold` (HoldMessage); `release` comes over the holder's own socket (ReleaseMessage). The
/// holder writes to the run directory alone, in memory: cycle record, client's note, lock and socket.
package final class Holder {
    // The number of the client's last lines that `release` gets.
    private static let lastWords = 100
    // A connection that is silent, or does not read, must not keep the holder from its session.
    private static let connectionPatience = Duration.seconds(1)

    private let request: HoldRequest
    private let runDirectory: RunDirectory
    private let signals: SignalDescriptor
    /// The socket to `hold`.
    private let asker: Descriptor
    private var askerReads = true
    private var listener: Descriptor?
    private let recorder: CycleRecorder
    private let begin = MonotonicTime.now()
    /// The time and the reason of a loss: the session has ended before its release.
    private var loss: (time: WallTime, reason: String)?

    /// A holder whose request comes over descriptor 0; nil without a run directory or a valid request.
    package init?(runDirectory: FilePath) {
        let asker = Descriptor(owning: 0)
        guard let directory = try? RunDirectory(path: runDirectory) else { return nil }
        do throws(MessageError) {
            request = try HoldRequest(from: asker, until: .now() + LocalSocket.patience)
        } catch {
            let answer = HoldMessage.answer(.failed("the request is not understood: \(error)"))
            try? Messages.send(answer, to: asker, until: .now() + Self.connectionPatience)
            return nil
        }
        self.asker = consume asker
        self.runDirectory = directory
        signals = SignalDescriptor()
        recorder = CycleRecorder(in: directory, .existing)
    }

    /// The beginning of the names of holders' sockets in the run directory.
    static let socketPrefix = "hold-"

    static func socketName(of hold: String) -> String { socketPrefix + hold }

    /// The name of the lock of who makes or removes the socket.
    static func lockName(of hold: String) -> String { socketName(of: hold) + lockSuffix }

    private static let lockSuffix = ".lock"

    /// Whether a name in the run directory is that of such a lock.
    static func isLockName(_ name: String) -> Bool { name.hasPrefix(socketPrefix) && name.hasSuffix(lockSuffix) }

    /// Starts a holder, whose request goes over the other end of `socket`. Throws the errno of execve(2).
    @discardableResult
    package static func start(
        _ socket: borrowing Descriptor, runDirectory: FilePath
    ) throws(Errno) -> ProcessIdentity {
        try OwnProcess.holder(runDirectory: runDirectory).start(socket: socket)
    }

    /// Opens the session, keeps it, and ends it.
    package func run() {
        if let reason = listen() { return fail(reason) }
        defer { removeSocket(answering: "the session \(request.name) has just ended") }
        recorder.append(.hold(name: request.name, hook: request.hook, holder: ProcessIdentity(of: getpid())))
        let client: HeldClient
        do {
            client = try startClient()
        } catch {
            recorder.append(.released(hold: request.name))
            return fail("\(SafeText.clean(request.client)) cannot be started: \(error)")
        }
        if let reason = waitUntilReady(client) {
            client.end(grace: request.killGrace)
            recorder.append(.released(hold: request.name))
            return fail(reason)
        }
        answer(.done)
        keep(client)
    }

    private func startClient() throws(Errno) -> HeldClient {
        let line = recorder.note { .client(hold: request.name, $0) }
        defer { recorder.settle(line) }
        let note = ClientNote(runDirectory: runDirectory, hold: request.name)
        let file = note.open()
        let notes = [line, file.number.map(note.line)].compactMap { $0 }
        let client = Result { () throws(Errno) in try HeldClient(request, notes: notes) }
        file.close()
        return try client.get()
    }

    private func fail(_ reason: String) { answer(.failed(reason)) }

    /// Answers `hold`, until an answer finds no room in time: whoever does not read is asked no more.
    private func answer(_ answer: HolderAnswer) {
        guard askerReads else { return }
        do throws(MessageError) {
            try Messages.send(HoldMessage.answer(answer), to: asker, until: .now() + Self.connectionPatience)
        } catch {
            askerReads = false
        }
    }

    /// Answers a `release`; false when the answer finds no room in time.
    @discardableResult
    private func answer(_ answer: HolderAnswer, _ connection: borrowing Descriptor) -> Bool {
        let deadline = MonotonicTime.now() + Self.connectionPatience
        return (try? Messages.send(ReleaseMessage.answer(answer), to: connection, until: deadline)) != nil
    }

    /// Opens the socket, in place of a killed holder's; returns why it cannot.
    private func listen() -> String? {
        let name = Self.socketName(of: request.name)
        // Between bind(2) and listen(2) a socket refuses connections, as a killed holder's does: without the lock
        // another holder could take this one's for such.
        let reason: String?? = runDirectory.withLock(named: Self.lockName(of: request.name)) {
            do throws(Errno) {
                try makeSocket(name)
                return nil
            } catch .addressInUse {
                return "a session of the name \(request.name) is already held; release it first"
            } catch {
                return "the session's socket cannot be made: \(error)"
            }
        }
        return reason ?? "another process opens a session of the name \(request.name)"
    }

    private func makeSocket(_ name: String) throws(Errno) {
        do throws(Errno) {
            listener = try LocalSocket.listen(name, in: runDirectory)
        } catch {
            guard error == .addressInUse, LocalSocket.isGone(name, in: runDirectory) else { throw error }
            runDirectory.remove(name)
            listener = try LocalSocket.listen(name, in: runDirectory)
        }
    }

    /// Removes the socket; connections that still wait get the reason.
    private func removeSocket(answering reason: String) {
        guard let number = listener?.number else { return }
        runDirectory.remove(Self.socketName(of: request.name))
        ClientNote(runDirectory: runDirectory, hold: request.name).remove()
        while waitUntilReadable(number, until: .now()) {
            guard let connection = try? LocalSocket.accept(number) else { break }
            // close(2) of a socket with unread messages sends a reset (ECONNRESET) in place of the answer.
            _ = try? Messages.receive(
                ReleaseMessage.self, from: connection, until: .now() + Self.connectionPatience)
            answer(.failed(reason), connection)
        }
        listener = nil
    }

    /// Waits for the line that matches the request's pattern; returns why the session is not ready.
    private func waitUntilReady(_ client: HeldClient) -> String? {
        guard let pattern = Pattern(request.ready) else { return "'\(request.ready)' is no regular expression" }
        let deadline = begin + request.timeout
        while true {
            let event = wait(client, beside: asker.number, until: deadline)
            for line in event.lines { answer(.output(line)) }
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

    /// The result of one wait.
    private struct WaitEvent {
        var lines: [String]
        var descriptorIsReady: Bool
    }

    private func wait(_ client: HeldClient, beside descriptor: Int32?, until moment: MonotonicTime?) -> WaitEvent {
        var waiting = client.polled + [pollfd(descriptor), signals.polled]
        pollDescriptors(&waiting, until: signals.latest(moment))
        var lines = client.exchange(waiting[..<2])
        if signals.isDue(waiting[3]), signals.take() {
            client.reap()
            if client.ended != nil { lines += client.readRest() }
        }
        return WaitEvent(lines: lines, descriptorIsReady: waiting[2].isReady)
    }

    /// Keeps the session until its release, its limit, or a signal that asks this process to stop.
    private func keep(_ client: HeldClient) {
        let deadline = request.limit.map { begin + $0 }
        while true {
            let event = wait(client, beside: listener?.number, until: deadline)
            if client.ended != nil && loss == nil { lose(client.endingText) }
            if event.descriptorIsReady, serve(client) { return }
            if let signal = signals.stopRequest {
                return giveUp(client, "its holder was ended by \(signalName(signal))")
            }
            if let deadline, .now() >= deadline { return giveUp(client, "nobody released it in time") }
        }
    }

    private func lose(_ reason: String) {
        let time = WallTime.now()
        loss = (time, reason)
        recorder.append(.lost(hold: request.name, time: time, reason: reason))
    }

    private func giveUp(_ client: HeldClient, _ reason: String) {
        if loss == nil { lose(reason) }
        _ = end(client)
    }

    /// Serves one connection of `release`; true when the session has ended with it.
    private func serve(_ client: HeldClient) -> Bool {
        guard let number = listener?.number, let connection = try? LocalSocket.accept(number) else { return false }
        do throws(MessageError) {
            let message = try Messages.receive(
                ReleaseMessage.self, from: connection, until: .now() + Self.connectionPatience
            ).message
            guard case .release = message else { throw .unknown(kind: message.kind.rawValue) }
        } catch {
            answer(.failed("\(error)"), connection)
            return false
        }
        // The client may have ended since the last wait.
        client.reap()
        if client.ended != nil && loss == nil { lose(client.endingText) }
        if loss == nil {
            let lines = end(client)
            for line in lines where !answer(.output(line), connection) { break }
            if client.endedWell {
                recorder.append(.released(hold: request.name))
            } else {
                lose("its release failed: \(client.endingText)")
            }
        }
        let lossText = loss.map { "the session \(request.name) had ended at \($0.time.rfc3339): \($0.reason)" }
        // Before the answer: its receiver may open a session of the same name at once.
        removeSocket(answering: lossText ?? "the session \(request.name) has been released already")
        answer(lossText.map { .failed($0) } ?? .done, connection)
        return true
    }

    /// Sends the client the release text, waits, and kills the rest of its family; returns the last lines.
    private func end(_ client: HeldClient) -> [String] {
        var lines: [String] = []
        client.finishInput(with: request.release)
        let deadline = MonotonicTime.now() + request.timeout
        while client.ended == nil && .now() < deadline {
            lines = (lines + wait(client, beside: nil, until: deadline).lines).suffix(Self.lastWords)
        }
        client.end(grace: request.killGrace)
        return lines
    }
}
