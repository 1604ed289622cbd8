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

    // A record is read in less than a millisecond, and a process is not stopped and continued for less than this.
    private static let lookInterval = Duration.milliseconds(100)

    // A thaw hook gets at least this long, also after the deadline: an application that stays locked is an outage.
    private static let minimumThawLimit = Duration.seconds(1)

    /// The hooks of the cycle `id`, with a record that goes on or is new.
    init(
        id: String, _ kind: CycleKind, recorder mode: CycleRecorder.Mode, log: EventLog, in context: CycleContext,
        begin: MonotonicTime
    ) {
        self.id = id
        self.kind = kind
        self.begin = begin
        self.context = context
        self.log = log
        let recorder = context.runDirectory.map { CycleRecorder(in: $0, mode) }
        self.recorder = recorder
        if mode == .new {
            recorder?.append(.cycle(id: id, bootID: KernelID.boot))
            recorder?.append(.limits(HoldLimits(context.settings)))
            if kind == .rehearsal { recorder?.append(.rehearsal(ProcessIdentity(of: getpid()))) }
        }
        let leftovers = LeftoverOutput(runDirectory: context.runDirectory, cycle: id) {
            recorder?.append(.drainer(socket: $0))
        }
        runner = HookRunner(
            signals: context.signals,
            environment: HookEnvironment(cycle: id, runDirectory: context.locations.runDirectory),
            killGrace: context.settings.killGrace, leftovers: leftovers, observer: log.observer)
    }

    /// Logs the faults of the configuration and the run directory.
    func reportFaultsOfTheSystem() {
        if case .failure(let error) = context.configuration {
            log.write(Event(.warning, .configurationInvalid, "\(error); the defaults are in force"))
        }
        if case .failure(let error) = context.openedRunDirectory {
            log.write(
                Event(.warning, .stateUnavailable, "\(error); the hooks run, but a lost thaw cannot be recovered"))
        }
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
        guard let record = context.record(), record.id == id else { return .thawedMeanwhile }
        if record.hasExpired { return .expiredMeanwhile }
        return record.isBeingThawed ? .thawedMeanwhile : nil
    }

    /// Runs one hook for the freeze, at most until the deadline.
    func freeze(_ hook: Hook, _ action: HookAction, until deadline: MonotonicTime) -> HookOutcome {
        let limit = min(hook.timeout, deadline - .now())
        let reason: RunReason = kind == .rehearsal ? .rehearsal : .freeze
        return run(HookRunner.Request(hook: hook, action: action, reason: reason, limit: limit, stopsOnRequest: true))
    }

    /// Counts a hook that must not be run as a failed one.
    func refuse(_ hook: Hook, _ action: HookAction, _ reason: String, _ messageID: MessageID = .hookRefused) {
        count += 1
        failedCount += 1
        recorder?.append(.refused(action: action, path: hook.path, reason: reason))
        log.write(HookEvents.refused(hook, action, reason, messageID))
    }

    /// Records what hooks have left running at the end of the freeze.
    func recordLeftovers() {
        let runs = (context.record()?.runs ?? []).filter { $0.end?.status != HookStatus.nothingToDo }
        for (path, process) in LeftoverProcesses(runs: runs).staying() {
            if context.settings.hook(named: path.name).leftovers == .ignore { continue }
            recorder?.append(.left(path: path, process))
        }
    }

    /// Records which of the processes that the hook at `path` has left running have ended by now: just before its thaw,
    /// which ends them.
    private func recordEnded(of path: FilePath, in record: CycleRecord?) {
        for leftover in record?.leftoversBeforeThaw(of: path) ?? [] where !leftover.process.isAlive {
            recorder?.append(.leftEnded(leftover.process, time: nil))
        }
    }

    /// Thaws all of the hooks in their order, whatever fails and however late it is.
    func thaw(_ hooks: [DirectoryEntry], reason: RunReason, until deadline: MonotonicTime) {
        // As it is before the first thaw: the guard may have noted the time of an end.
        let record = context.record().flatMap { $0.leftovers.isEmpty ? nil : $0 }
        for entry in hooks {
            recordEnded(of: entry.hook.path, in: record)
            if case .refused(let refusal) = entry.disposition {
                refuse(entry.hook, .thaw, "\(refusal)")
                continue
            }
            let limit = min(entry.hook.timeout, max(deadline - .now(), Self.minimumThawLimit))
            _ = run(
                HookRunner.Request(hook: entry.hook, action: .thaw, reason: reason, limit: limit, stopsOnRequest: false)
            )
        }
    }

    /// `3 hooks, 0 failed, in 0.210 s`.
    var summary: String {
        let time = DurationText.seconds(.now() - begin)
        return "\(CountText.format(count, "hook")), \(failedCount) failed, in \(time) s"
    }

    /// `cycle 5c1f…` or `rehearsal 5c1f…`.
    var label: String { "\(kind.noun) \(id)" }

    private func run(_ request: HookRunner.Request) -> HookOutcome {
        let (hook, action) = (request.hook, request.action)
        recorder?.append(
            .start(
                action: action, reason: request.reason, path: hook.path, guarantee: hook.guarantee, time: Timestamp()))
        log.write(HookEvents.started(hook, action))
        let outcome = runner.run(request) { process in
            recorder?.append(.process(process))
        } emit: { [log] lines in
            log.write(HookEvents.output(lines, of: hook, action))
        }
        recorder?.append(
            .end(
                status: outcome.status, signal: outcome.signal, timedOut: outcome.exceededLimit != nil,
                duration: outcome.duration, explanation: outcome.explanation ?? ""))
        log.write(HookEvents.finished(hook, action, outcome))
        if action != .prepare && !outcome.wasSkipped { count += 1 }
        if outcome.failed { failedCount += 1 }
        return outcome
    }
}
