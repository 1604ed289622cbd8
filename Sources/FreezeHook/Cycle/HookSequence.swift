// SPDX-License-Identifier: Apache-2.0

import FreezeHookBase
import Glibc
import SystemPackage

/// Runs the hooks of one cycle; each is recorded before its start and logged after its end.
final class HookSequence {
    let id: String
    let log: EventLog
    let recorder: CycleRecorder?
    let kind: CycleKind
    /// The start of the time in `summary`.
    let begin: MonotonicTime
    private let context: CycleContext
    private let runner: HookRunner
    /// The number of freezes and thaws, without those of hooks that had nothing to do here.
    private(set) var count = 0
    private(set) var failedCount = 0
    private var nextLook = MonotonicTime.now() + lookInterval
    /// What hooks have left running, as far as it is recorded.
    private var leftovers: Set<ProcessIdentity> = []

    // A record is read in less than a millisecond, and a process is not stopped and continued for less than this.
    private static let lookInterval = Duration.milliseconds(100)

    /// The hooks that a thaw without a record has called and that came to no answer.
    private(set) var unanswered: [FilePath] = []

    // A recovered hook gets at least this long, also after the deadline: an application that stays locked is an outage.
    private static let minimumThawLimit = Duration.seconds(1)
    // The pause before a start is tried again, which doubles from the first to the last.
    private static let pauses = (first: Duration.milliseconds(20), last: Duration.seconds(2))

    /// The hooks of the cycle `id`, with a record that goes on, or a new one that begins with these entries.
    init(
        id: String, _ kind: CycleKind, recorder mode: CycleRecorder.Mode, beginning: [RecordEntry] = [], log: EventLog,
        in context: CycleContext, begin: MonotonicTime
    ) {
        self.id = id
        self.kind = kind
        self.begin = begin
        self.context = context
        self.log = log
        var entries: [RecordEntry] = []
        if mode == .new {
            entries = [.cycle(id: id, bootID: KernelID.boot), .limits(HoldLimits(context.settings))] + beginning
            if kind == .rehearsal { entries.append(.rehearsal(ProcessIdentity(of: getpid()))) }
        }
        let recorder = context.runDirectory.map { CycleRecorder(in: $0, mode, beginning: entries) }
        self.recorder = recorder
        let leftovers = LeftoverOutput(runDirectory: context.runDirectory, cycle: id) { [context] pipe, hook in
            guard let runDirectory = context.runDirectory else { return false }
            return Guard.keep(pipe, of: hook.name, Guard.socketName(of: id), in: runDirectory)
        } note: { event in
            switch event {
            case .starting(let socket): recorder?.append(.drainer(socket: socket))
            case .notStarted(let socket): recorder?.append(.drained(socket: socket))
            case .taken(let hook, let error): log.write(HookEvents.leftoverTaken(of: hook, error))
            case .closed(let hook, let error):
                recorder?.append(.fault("what \(hook.name) left running may have ended: its output has no reader"))
                log.write(HookEvents.leftoverClosed(of: hook, error))
            }
        }
        runner = HookRunner(
            signals: context.signals,
            environment: HookEnvironment(cycle: id, runDirectory: context.locations.runDirectory),
            killGrace: context.settings.killGrace, leftovers: leftovers, observer: log.observer)
    }

    /// Logs the faults of the configuration and the run directory.
    func reportFaultsOfTheSystem() {
        if let error = context.runDirectory?.lockError {
            let text = "the run directory cannot be locked: \(error); another freeze or thaw may run at the same time"
            log.write(Event(.warning, .stateUnavailable, text))
        }
        if case .failure(let error) = context.configuration {
            log.write(Event(.warning, .configurationInvalid, "\(error); the defaults are in force"))
        }
        if case .failure(let error) = context.openedRunDirectory {
            log.write(
                Event(.warning, .stateUnavailable, "\(error); the hooks run, but a lost thaw cannot be recovered"))
        }
    }

    /// Counts a hook directory that cannot be read at the thaw as a failed hook: its hooks may hold their applications.
    func noteUnreadable(_ directory: HookDirectory, _ error: Errno) {
        failedCount += 1
        let text = "no hook is thawed: the directory \(SafeText.clean(directory.path)) cannot be read: \(error)"
        log.write(Event(.error, .hookRefused, text))
    }

    /// Logs the failure to write the record, if there was one.
    func reportLostRecord() {
        guard let failure = recorder?.failure else { return }
        let place = SafeText.clean(context.locations.runDirectory)
        log.write(
            Event(
                .warning, .stateUnavailable,
                "the cycle cannot be recorded in \(place): \(failure); the hooks run, but a lost thaw cannot be recovered"
            ))
    }

    /// Records a moment of the cycle.
    func mark(_ moment: CycleMoment) {
        recorder?.append(.moment(moment, Timestamp()))
    }

    /// The signal that asked this program to stop; nil when none has come.
    var stopRequest: Int32? {
        _ = context.signals.take()
        return context.signals.stopRequest
    }

    /// Why the freeze must not go on, although no hook has failed: this process was stopped, or waited in the kernel, and
    /// somebody has thawed meanwhile. nil when nobody has, and when a moment before nobody had.
    func recentEnd() -> FreezeFailure? {
        guard .now() >= nextLook else { return nil }
        nextLook = .now() + Self.lookInterval
        return end()
    }

    /// Why the freeze must not go on, by the record as it is now.
    func end() -> FreezeFailure? {
        // Without a record nobody knows what to thaw, and every thaw calls every hook.
        guard let recorder, recorder.failure == nil else { return nil }
        let named = context.record().flatMap { $0.id == id ? $0 : nil }
        // Only a thaw removes a record, and marks it before; a hook may have removed the whole directory.
        if named == nil, context.runDirectory?.isRemoved == false { return .thawedMeanwhile }
        guard let record = named ?? recorder.record else { return nil }
        if record.hasExpired { return .expiredMeanwhile }
        return record.isBeingThawed ? .thawedMeanwhile : nil
    }

    /// Runs one hook for the freeze, at most until the deadline.
    func freeze(_ hook: Hook, _ action: HookAction, until deadline: MonotonicTime) -> HookOutcome {
        let limit = min(hook.timeout, deadline - .now())
        let reason: RunReason = kind == .rehearsal ? .rehearsal : .freeze
        if hook.retriesThaw { recorder?.append(.retryThaw(path: hook.path)) }
        let request = HookRunner.Request(
            hook: hook, action: action, reason: reason, limit: limit, stopsOnRequest: true)
        let outcome = run(request)
        // Now: a client may end, and its lock with it, while the next hooks run.
        if action == .freeze { recordLeftovers { $0.action == .freeze } }
        return outcome
    }

    /// Counts a hook that must not be run as a failed one.
    func refuse(_ hook: Hook, _ action: HookAction, _ reason: String, _ messageID: MessageID = .hookRefused) {
        count += 1
        failedCount += 1
        recorder?.append(.refused(action: action, path: hook.path, reason: reason))
        log.write(HookEvents.refused(hook, action, reason, messageID))
    }

    /// Records what hooks have left running up to now, each process once.
    func recordLeftovers(ofRuns counts: (CycleRecord.Run) -> Bool = { _ in true }) {
        guard LeftoverProcesses.exist(besides: leftovers), let record = context.record() else { return }
        for (run, process) in LeftoverProcesses(runs: record.runs).staying()
        where run.end?.status != HookStatus.nothingToDo && counts(run) {
            guard leftovers.insert(process).inserted else { continue }
            if context.settings.hook(named: run.path.name).leftovers == .ignore { continue }
            recorder?.append(.left(path: run.path, process))
        }
    }

    /// Records which of the processes that the hook at `path` has left running have ended by now: just before its thaw,
    /// which ends them.
    private func recordEnded(of path: FilePath, in record: CycleRecord?) {
        for leftover in record?.leftoversBeforeThaw(of: path) ?? [] where !leftover.process.isAlive {
            recorder?.append(.leftEnded(leftover.process, time: nil))
        }
    }

    /// The times of a thaw.
    struct ThawTimes {
        /// The moment up to which hooks that cannot be started are tried again; nil tries each once.
        var retryEnd: MonotonicTime?
        /// The moment that cuts the hooks' own limits; nil leaves each hook its whole limit.
        var deadline: MonotonicTime?
    }

    /// Thaws all of the hooks in their order, whatever fails and however late it is.
    func thaw(_ hooks: [DirectoryEntry], reason: RunReason, _ times: ThawTimes) {
        // As it is before the first thaw: the guard may have noted the time of an end.
        let record = context.record().flatMap { $0.leftovers.isEmpty ? nil : $0 }
        var unstarted: [Hook] = []
        for entry in hooks {
            recordEnded(of: entry.hook.path, in: record)
            if case .refused(let refusal) = entry.disposition {
                refuse(entry.hook, .thaw, "\(refusal)")
                continue
            }
            let outcome = run(thawRequest(entry.hook, reason, times))
            if outcome.mayStartLater { unstarted.append(entry.hook) } else { note(outcome, of: entry.hook) }
        }
        guard !unstarted.isEmpty else { return }
        for hook in startLater(unstarted, reason, times) { unanswered.append(hook.path) }
    }

    /// Tries the hooks again that could not be started, all of them in each round: a lack of processes hits every hook,
    /// and none waits for another. Returns those that could not be started at all.
    private func startLater(_ hooks: [Hook], _ reason: RunReason, _ times: ThawTimes) -> [Hook] {
        guard let end = times.retryEnd else { return hooks }
        var unstarted = hooks
        var pause = Self.pauses.first
        while !unstarted.isEmpty, .now() < end {
            wait(until: min(end, .now() + pause))
            pause = min(pause * 2, Self.pauses.last)
            unstarted = unstarted.filter { hook in
                let outcome = runAgain(thawRequest(hook, reason, times))
                if !outcome.mayStartLater { note(outcome, of: hook) }
                return outcome.mayStartLater
            }
        }
        return unstarted
    }

    private func wait(until moment: MonotonicTime) {
        while .now() < moment {
            log.observer?.tick()
            let time = min(moment - .now(), ObservedWait.interval)
            usleep(useconds_t(max(0, time.nanoseconds) / 1_000))
        }
    }

    private func note(_ outcome: HookOutcome, of hook: Hook) {
        // A hook that can never be started has frozen nothing either.
        if case .notStarted = outcome.ending { return }
        if outcome.hasNoAnswer || outcome.failed && hook.retriesThaw { unanswered.append(hook.path) }
    }

    private func thawRequest(_ hook: Hook, _ reason: RunReason, _ times: ThawTimes) -> HookRunner.Request {
        let left = times.deadline.map { max($0 - .now(), Self.minimumThawLimit) }
        return HookRunner.Request(
            hook: hook, action: .thaw, reason: reason, limit: min(hook.timeout, left ?? hook.timeout),
            stopsOnRequest: false)
    }

    /// `3 hooks, 0 failed, in 0.210 s`.
    var summary: String {
        let time = DurationText.seconds(.now() - begin)
        return "\(CountText.format(count, "hook")), \(failedCount) failed, in \(time) s"
    }

    /// `cycle 5c1f…` or `rehearsal 5c1f…`.
    var label: String { "\(kind.noun) \(id)" }

    private func run(_ request: HookRunner.Request) -> HookOutcome {
        recordStart(of: request)
        log.write(HookEvents.started(request.hook, request.action))
        let outcome = call(request)
        logEnd(of: request, outcome)
        tally(outcome, request.action)
        return outcome
    }

    /// Tries a start again that has failed; only one that succeeds is logged, and takes the place of the failed one.
    private func runAgain(_ request: HookRunner.Request) -> HookOutcome {
        recordStart(of: request)
        let outcome = call(request)
        if outcome.mayStartLater { return outcome }
        log.write(HookEvents.started(request.hook, request.action))
        logEnd(of: request, outcome)
        count -= 1
        failedCount -= 1
        tally(outcome, request.action)
        return outcome
    }

    private func recordStart(of request: HookRunner.Request) {
        let (hook, action) = (request.hook, request.action)
        if action == .freeze, let word = hook.thawWord { recorder?.append(.thawWord(path: hook.path, word: word)) }
        recorder?.append(
            .start(
                action: action, reason: request.reason, path: hook.path, guarantee: hook.guarantee, time: Timestamp()))
    }

    private func call(_ request: HookRunner.Request) -> HookOutcome {
        let (hook, action) = (request.hook, request.action)
        let note = recorder?.note { .process($0) }
        let outcome = runner.run(request, note: note) {
            recorder?.settle(note)
        } emit: { [log] lines in
            log.write(HookEvents.output(lines, of: hook, action))
        }
        if case .notStarted = outcome.ending { recorder?.append(.notExecuted) }
        recorder?.append(
            .end(
                status: outcome.status, signal: outcome.signal, timedOut: outcome.exceededLimit != nil,
                duration: outcome.duration, explanation: outcome.explanation ?? ""))
        return outcome
    }

    private func logEnd(of request: HookRunner.Request, _ outcome: HookOutcome) {
        log.write(HookEvents.finished(request.hook, request.action, outcome))
        guard outcome.exceededLimit != nil else { return }
        let advice = TimeAdvice(of: request.hook, under: context.settings)
        log.write(HookEvents.advice(advice, request.hook, request.action))
    }

    private func tally(_ outcome: HookOutcome, _ action: HookAction) {
        if action != .prepare && !outcome.wasSkipped { count += 1 }
        if outcome.failed { failedCount += 1 }
    }
}
