// SPDX-License-Identifier: Apache-2.0

import CLinux
import FreezeHookBase
import Glibc
import SystemPackage

/// Runs one hook at a time: starts it, reads its output, ends it at its time limit, and fetches its status.
final class HookRunner {
    private let signals: SignalDescriptor
    private let environment: HookEnvironment
    private let killGrace: Duration
    private let leftovers: LeftoverOutput
    private let observer: (any CycleObserver)?

    // A hook's last child often ends a moment after the hook; only a longer life is worth a drainer.
    private static let lingering = Duration.milliseconds(5)

    init(
        signals: SignalDescriptor, environment: HookEnvironment, killGrace: Duration, leftovers: LeftoverOutput,
        observer: (any CycleObserver)?
    ) {
        self.observer = observer
        self.signals = signals
        self.environment = environment
        self.killGrace = killGrace
        self.leftovers = leftovers
        // Orphans of hooks become children of this process (PR_SET_CHILD_SUBREAPER), so that they end with their hook.
        _ = clinux_become_subreaper()
    }

    /// One run of a hook.
    struct Request {
        var hook: Hook
        var action: HookAction
        var reason: RunReason
        /// The time after which the hook is ended.
        var limit: Duration
        /// Whether a signal that asks this program to stop ends the hook too.
        var stopsOnRequest: Bool
    }

    /// Runs the hook to its end: `note` tells others of its process, `started` is called when it is written, `emit` gets the
    /// lines of output as they come.
    func run(
        _ request: Request, note: ProcessNote?, started: () -> Void, emit: @escaping ([String]) -> Void
    ) -> HookOutcome {
        let begin = MonotonicTime.now()
        let ends = try? Descriptor.pipe()
        let readEnd: Descriptor? = if let ends { Descriptor(owning: ends.readEnd) } else { nil }
        // Open until the hook has ended: the hang-up of the last write end would only wake poll(2) once more.
        let writeEnd: Descriptor? = if let ends { Descriptor(owning: ends.writeEnd) } else { nil }
        if let ends { _ = fcntl(ends.readEnd, F_SETFL, O_NONBLOCK) }
        var outcome: HookOutcome
        do throws(HookStartError) {
            let pid = try start(request, output: ends?.writeEnd ?? Spawn.null, note, started)
            let processes = ProcessFamily(
                ofHook: pid, request.action, marker: HookEnvironment.marker(of: request.hook))
            var run = ActiveRun(request: request, processes: processes, output: readEnd, begin: begin, emit: emit)
            supervise(&run)
            writeEnd.close()
            release(&run)
            outcome = run.outcome
        } catch {
            outcome = HookOutcome(ending: .notStarted(status: error.status, reason: error.reason))
            outcome.mayStartLater = error.isPassing
        }
        outcome.duration = .now() - begin
        return outcome
    }

    private func start(
        _ request: Request, output: Int32, _ note: ProcessNote?, _ started: () -> Void
    ) throws(HookStartError) -> pid_t {
        let path = request.hook.path
        let word = Array(request.hook.word(for: request.action).utf8)
        var spawn = Spawn(
            path: path, arguments: [path.bytes, word],
            environment: environment.entries(
                for: request.hook, request.action, reason: request.reason, limit: request.limit))
        spawn.standardOutput = output
        spawn.standardError = output
        spawn.notes = [note].compactMap { $0 }
        spawn.mustBeNoted = true
        defer { started() }
        do throws(Errno) {
            do { return try spawn.start() } catch .execFormatError {}
            // Every shell runs a text without `#!` itself.
            spawn.path = "/bin/sh"
            spawn.arguments.insert(Array("/bin/sh".utf8), at: 0)
            return try spawn.start()
        } catch {
            throw HookStartError(error, path: path)
        }
    }

    /// A run that has been started and has not ended.
    private struct ActiveRun: ~Copyable {
        let request: Request
        let processes: ProcessFamily
        /// The pipe's read end; nil when there is none any more.
        var output: Descriptor?
        let begin: MonotonicTime
        let capture: OutputCapture
        var outcome = HookOutcome(ending: .unknown)
        var hasEnded = false

        init(
            request: Request, processes: ProcessFamily, output: consuming Descriptor?, begin: MonotonicTime,
            emit: @escaping ([String]) -> Void
        ) {
            self.request = request
            self.processes = processes
            self.output = output
            self.begin = begin
            capture = OutputCapture(emit: emit)
        }
    }

    private func supervise(_ run: inout ActiveRun) {
        let deadline = run.begin + run.request.limit
        while true {
            wait(for: &run, until: deadline)
            if run.hasEnded { return }
            if run.request.stopsOnRequest && signals.stopRequest != nil {
                run.outcome.interrupted = true
                return terminate(&run)
            }
            if .now() >= deadline {
                run.outcome.exceededLimit = run.request.limit
                return terminate(&run)
            }
        }
    }

    /// Waits once for output, a child's end or the moment; reads output and statuses.
    private func wait(for run: inout ActiveRun, until moment: MonotonicTime) {
        var waiting = [
            signals.polled,
            pollfd(run.output?.number),
        ]
        let end = observer == nil ? moment : min(moment, .now() + ObservedWait.interval)
        pollDescriptors(&waiting, until: signals.latest(end))
        observer?.tick()
        if waiting[1].isReady, let output = run.output?.number, case .end = run.capture.read(from: output) {
            run.output = nil
        }
        if signals.isDue(waiting[0]), signals.take() { reap(&run) }
    }

    /// Fetches the status of every child that has ended, orphans included.
    private func reap(_ run: inout ActiveRun) {
        var status: Int32 = 0
        while let pid = try? call({ waitpid(-1, &status, WNOHANG) }), pid > 0 {
            guard pid == run.processes.leader.pid else { continue }
            run.hasEnded = true
            run.outcome.ending = HookOutcome.Ending(WaitStatus(status))
        }
    }

    /// Ends all processes of the hook, and reads their output meanwhile.
    private func terminate(_ run: inout ActiveRun) {
        let processes = run.processes
        let ending = processes.end(grace: killGrace) { moment in
            wait(for: &run, until: moment)
            return run.hasEnded
        }
        run.outcome.endedBy = ending.signal
        run.outcome.survivors = ending.survivors
    }

    /// Reads the last output; a drainer gets a pipe that still has writers, so that they neither block nor get SIGPIPE.
    private func release(_ run: inout ActiveRun) {
        guard let output = run.output.take() else { return run.capture.finish() }
        var result = run.capture.readAvailable(from: output.number)
        if case .empty = result, waitUntilReadable(output.number, until: .now() + Self.lingering) {
            result = run.capture.readAvailable(from: output.number)
        }
        run.capture.finish()
        if case .end = result {} else { leftovers.take(output, of: run.request.hook) }
    }
}
