import CLinux
import FreezeHookBase
import Glibc
import SystemPackage

/// Runs one hook at a time: starts it, takes its output, ends it when its time is over, and fetches its status.
final class HookRunner {
    private let signals: SignalDescriptor
    private let environment: HookEnvironment
    private let killGrace: Duration
    private let leftovers: LeftoverOutput
    private let observer: (any CycleObserver)?

    // A hook's last child often ends a moment after it; only what lives on is worth a process of its own.
    private static let lingering = Duration.milliseconds(5)
    // SIGKILL works at once, but for a process in state D.
    private static let killPatience = Duration.seconds(1)
    private static let killInterval = Duration.milliseconds(10)

    init(
        signals: SignalDescriptor, environment: HookEnvironment, killGrace: Duration, leftovers: LeftoverOutput,
        observer: (any CycleObserver)?
    ) {
        self.observer = observer
        self.signals = signals
        self.environment = environment
        self.killGrace = killGrace
        self.leftovers = leftovers
        // Children that leave their session come to us, so that they can be ended with their hook.
        _ = clinux_become_subreaper()
    }

    /// One run of a hook.
    struct Request {
        var hook: Hook
        var action: HookAction
        var reason: RunReason
        /// The time until it is ended.
        var limit: Duration
        /// Whether a request to stop this program ends the hook too.
        var stopsOnRequest: Bool
    }

    /// Runs the hook to its end. `started` is told the process; `emit` is given the output's lines as they come.
    func run(_ request: Request, started: (ProcessIdentity) -> Void, emit: @escaping ([String]) -> Void) -> HookOutcome
    {
        let begin = MonotonicTime.now()
        var ends: [Int32] = [Spawn.null, Spawn.null]
        if clinux_pipe(&ends) == 0 { _ = fcntl(ends[0], F_SETFL, O_NONBLOCK) }
        let spawned = Result { () throws(HookStartError) in try start(request, output: ends[1]) }
        // Our own copy of the write end is kept until the hook has ended: its hang-up would only wake us once more.
        defer { if ends[1] >= 0 { close(ends[1]) } }
        var outcome: HookOutcome
        switch spawned {
        case .failure(let error):
            if ends[0] >= 0 { close(ends[0]) }
            outcome = HookOutcome(ending: .notStarted(status: error.status, reason: error.reason))
        case .success(let pid):
            let processes = HookProcesses(main: pid, marker: HookEnvironment.marker(of: request.hook))
            started(processes.leader)
            var run = ActiveRun(request: request, processes: processes, output: ends[0], begin: begin, emit: emit)
            outcome = supervise(&run)
            if ends[1] >= 0 { close(ends[1]) }
            ends[1] = Spawn.null
            release(&run)
        }
        outcome.duration = .now() - begin
        return outcome
    }

    private func start(_ request: Request, output: Int32) throws(HookStartError) -> pid_t {
        let path = request.hook.path
        let action = Array(request.action.rawValue.utf8)
        var spawn = Spawn(
            path: path, arguments: [path.bytes, action],
            environment: environment.entries(for: request.hook, reason: request.reason, limit: request.limit))
        spawn.standardOutput = output
        spawn.standardError = output
        do {
            return try spawn.start()
        } catch .execFormatError {
            // As every shell does with a text that has no `#!`.
            spawn.path = "/bin/sh"
            spawn.arguments.insert(Array("/bin/sh".utf8), at: 0)
            do { return try spawn.start() } catch { throw HookStartError(error, path: path) }
        } catch {
            throw HookStartError(error, path: path)
        }
    }

    /// A run that has been started and has not ended.
    private struct ActiveRun {
        let request: Request
        let processes: HookProcesses
        /// The pipe's read end; -1 when there is none any more.
        var output: Int32
        let begin: MonotonicTime
        let capture: OutputCapture
        var outcome = HookOutcome(ending: .unknown)
        var hasEnded = false

        init(
            request: Request, processes: HookProcesses, output: Int32, begin: MonotonicTime,
            emit: @escaping ([String]) -> Void
        ) {
            self.request = request
            self.processes = processes
            self.output = output
            self.begin = begin
            capture = OutputCapture(emit: emit)
        }

        mutating func closeOutput() {
            if output >= 0 { close(output) }
            output = -1
        }
    }

    private func supervise(_ run: inout ActiveRun) -> HookOutcome {
        let deadline = run.begin + run.request.limit
        while !run.hasEnded {
            wait(for: &run, until: deadline)
            if run.hasEnded { break }
            if run.request.stopsOnRequest && signals.stopRequest != nil {
                run.outcome.interrupted = true
                terminate(&run)
                break
            }
            if .now() >= deadline {
                run.outcome.exceededLimit = run.request.limit
                terminate(&run)
                break
            }
        }
        return run.outcome
    }

    /// Waits once for output, a child's end or the moment; takes what came.
    private func wait(for run: inout ActiveRun, until moment: MonotonicTime) {
        var waiting = [
            pollfd(fd: signals.descriptor, events: Int16(POLLIN), revents: 0),
            pollfd(fd: run.output, events: Int16(POLLIN), revents: 0),
        ]
        let end = observer == nil ? moment : min(moment, .now() + ObservedWait.interval)
        poll(&waiting, 2, (end - .now()).pollMilliseconds)
        observer?.tick()
        if waiting[1].revents != 0, case .end = run.capture.read(from: run.output) { run.closeOutput() }
        if waiting[0].revents != 0, signals.take() { reap(&run) }
    }

    /// Fetches the status of every child that has ended; orphans that came to us are among them.
    private func reap(_ run: inout ActiveRun) {
        while true {
            var status: Int32 = 0
            let pid = waitpid(-1, &status, WNOHANG)
            if pid < 0 && errno == EINTR { continue }
            if pid <= 0 { break }
            guard pid == run.processes.leader.pid else { continue }
            run.hasEnded = true
            let signal = status & 0x7f
            run.outcome.ending = signal == 0 ? .exited((status >> 8) & 0xff) : .signaled(signal)
        }
    }

    /// Ends everything that the hook has started: SIGTERM, the grace, SIGKILL until nothing is left.
    private func terminate(_ run: inout ActiveRun) {
        run.outcome.endedBy = SIGTERM
        run.processes.signal(SIGTERM)
        let graceEnd = MonotonicTime.now() + killGrace
        while .now() < graceEnd {
            wait(for: &run, until: min(graceEnd, .now() + Self.killInterval))
            if run.hasEnded && run.processes.living().isEmpty { return }
        }
        run.outcome.endedBy = SIGKILL
        let patienceEnd = MonotonicTime.now() + Self.killPatience
        repeat {
            run.processes.signal(SIGKILL)
            wait(for: &run, until: .now() + Self.killInterval)
            let living = run.processes.living()
            run.outcome.survivors = living.count
            if run.hasEnded && living.isEmpty { return }
        } while .now() < patienceEnd
    }

    /// Takes the last output; a pipe that still has writers is handed on, so that they neither block nor die.
    private func release(_ run: inout ActiveRun) {
        guard run.output >= 0 else { return run.capture.finish() }
        var result = run.capture.readAvailable(from: run.output)
        if case .empty = result, waitUntilReadable(run.output, until: .now() + Self.lingering) {
            result = run.capture.readAvailable(from: run.output)
        }
        run.capture.finish()
        if case .end = result {} else { leftovers.take(run.output, of: run.request.hook) }
        run.closeOutput()
    }
}
