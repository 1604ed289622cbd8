// SPDX-License-Identifier: Apache-2.0

import FreezeHookBase
import Glibc
import SystemPackage

/// The second half of a cycle: frozen hooks are called with `thaw`. A thaw may be repeated any number of times.
package struct Thaw {
    private let context: CycleContext
    private let begin: MonotonicTime
    private let observer: (any CycleObserver)?

    /// A thaw whose time counts from `begin`; the observer gets its events.
    package init(in context: CycleContext, begin: MonotonicTime, observer: (any CycleObserver)? = nil) {
        self.context = context
        self.begin = begin
        self.observer = observer
    }

    /// Runs the thaw to its end. Only an occasion that needs the lock throws.
    @discardableResult
    package func run(_ occasion: ThawOccasion) throws(ThawError) -> ThawOutcome {
        try run(occasion) { _ in }
    }

    /// Runs the thaw; `beforeHooks` is called after the record's entry of the moment, before the first hook.
    func run(_ occasion: ThawOccasion, beforeHooks: (HookSequence) -> Void) throws(ThawError) -> ThawOutcome {
        try takeLock(occasion.lock)
        let history = History(directory: context.stateDirectory, limit: context.settings.historyLimit)
        let target = withLostCycle(
            occasion.target(
                record: context.record(), agentIsFrozen: context.agentIsFrozen, history: history.cycle), history)
        let record: CycleRecord?
        switch target {
        case .nothing: return .nothing
        case .leftAlone(let id): return .leftAlone(cycle: id)
        case .ended(let cycle): return .ended(cycle)
        case .cycle(let found): record = found
        case .everyHook, .lostCycle: record = nil
        }
        let cycle = sequence(of: target, occasion)
        noteFaults(of: target, occasion, in: cycle)
        cycle.mark(occasion.moment)
        announce(occasion, record, in: cycle)
        beforeHooks(cycle)
        let ending = CycleEnding(context: context, cycle: cycle)
        callHooks(record, occasion, in: cycle, ending)
        guard occasion.endsCycle else { return .expired(cycle.kind) }
        let ended = ending.finish()
        cycle.log.write(summary(of: cycle, ended?.verdict))
        if case .thaw = occasion,
            let error = ThawError.ofHooks(cycle.failedCount, of: cycle.count, under: context.settings)
        {
            throw error
        }
        return .ended(ended?.summary)
    }

    /// The target of a thaw that finds no record but a guard, whose cycle has lost the record.
    private func withLostCycle(_ target: ThawTarget, _ history: History) -> ThawTarget {
        guard case .everyHook = target, let runDirectory = context.runDirectory else { return target }
        let reachable = Guard.cycles(in: runDirectory).first { history.cycle($0) == nil }
        let cycle = reachable ?? LostProcesses(runDirectory, in: context).cycles.first
        return cycle.map { .lostCycle(id: $0, .backup) } ?? target
    }

    private func takeLock(_ lock: ThawOccasion.Lock) throws(ThawError) {
        guard lock != .held, let runDirectory = context.runDirectory,
            case .busy = runDirectory.lock(within: context.settings.thawTimeout)
        else { return }
        if lock == .needed { throw .busy }
    }

    private func sequence(of target: ThawTarget, _ occasion: ThawOccasion) -> HookSequence {
        let (id, kind, mode): (String?, CycleKind, CycleRecorder.Mode) =
            switch target {
            case .cycle(let record): (record.id, record.kind, .existing)
            case .lostCycle(let id, let kind): (id, kind, .new)
            case .everyHook, .leftAlone, .ended, .nothing: (nil, .backup, .new)
            }
        let log = occasion.defersEvents ? EventLog(deferringIn: context.runDirectory) : directLog(id)
        return HookSequence(
            id: id ?? KernelID.random(), kind, recorder: mode, log: log, in: context, begin: .now())
    }

    /// The log and the journal; they get the deferred events first.
    private func directLog(_ id: String?) -> EventLog {
        let log = EventLog(
            settings: context.settings, locations: context.locations, cycle: id, observer: observer)
        if let runDirectory = context.runDirectory { log.write(DeferredEvents.take(from: runDirectory)) }
        return log
    }

    /// Records the faults that this thaw knows of.
    private func noteFaults(of target: ThawTarget, _ occasion: ThawOccasion, in cycle: HookSequence) {
        if case .lostCycle(_, let kind) = target {
            cycle.mark(.begun)
            cycle.recorder?.append(.fault("the \(kind.noun)'s record was lost in the window"))
        }
        if case .rehearsalEnd(_, let fault) = occasion {
            if let fault { cycle.recorder?.append(.fault(fault)) }
        } else if cycle.kind == .rehearsal, occasion.endsCycle {
            cycle.recorder?.append(.fault("the rehearsal was ended before its time"))
        }
    }

    /// Logs why this thaw runs, where the reason is worth a line.
    private func announce(_ occasion: ThawOccasion, _ record: CycleRecord?, in cycle: HookSequence) {
        switch occasion {
        case .thaw:
            cycle.reportFaultsOfTheSystem()
            guard let expired = record?.moments[.expired] else { return }
            let delay = DurationText.seconds(.now() - expired.monotonic)
            cycle.log.write(
                Event(.error, .thawCameLate, "the thaw came \(delay) s after the guard had ended the window"))
        case .rehearsalEnd:
            return
        case .recovery, .recoverCommand, .killedFreeze:
            let cause = cycle.kind == .rehearsal ? "" : "its thaw never came; "
            cycle.log.write(
                Event(.warning, .cycleRecovered, "unfinished \(cycle.label): \(cause)thawing what it froze"))
        case .expiry(_, let limit):
            let time = DurationText.format(limit)
            cycle.log.write(Event(.error, .windowExpired, "no thaw came within \(time): the guard ends the window"))
        }
    }

    private func callHooks(
        _ record: CycleRecord?, _ occasion: ThawOccasion, in cycle: HookSequence, _ ending: CycleEnding
    ) {
        let settings = context.settings
        if let record {
            endStragglers(of: record, in: cycle)
            ending.noteLostHolds(record)
        }
        let directory = HookDirectory(path: context.locations.hookDirectory, settings: settings)
        if record == nil {
            do throws(Errno) { _ = try directory.entries() } catch {
                if error != .noSuchFileOrDirectory { cycle.noteUnreadable(directory, error) }
            }
        }
        cycle.thaw(
            directory.entriesToThaw(of: record, settings.thawOrder), reason: occasion.reason,
            until: occasion.deadline(from: begin, under: settings))
        // Read again: thaw hooks release sessions, and may leave something running.
        ending.closeWindow(context.record())
        if record == nil { endLostProcesses(occasion, in: cycle) }
    }

    /// Ends the guards and holders that nothing in the run directory leads to. The guard itself ends its own.
    private func endLostProcesses(_ occasion: ThawOccasion, in cycle: HookSequence) {
        guard occasion.endsCycle, let runDirectory = context.runDirectory else { return }
        LostProcesses(runDirectory, in: context).end(tell: cycle.log)
    }

    private func endStragglers(of record: CycleRecord, in cycle: HookSequence) {
        for path in Stragglers(killGrace: context.settings.killGrace).end(of: record) {
            let text = "\(SafeText.clean(path)) was still running although its program was killed: ended"
            cycle.log.write(Event(.warning, .cycleRecovered, text))
        }
    }

    private func summary(of cycle: HookSequence, _ verdict: Verdict?) -> Event {
        let text = "thawed: \(cycle.summary)"
        guard let verdict else {
            return Event(cycle.failedCount == 0 ? .notice : .warning, .thawed, "\(text) (no cycle)")
        }
        let id: MessageID =
            switch verdict.guarantee {
            // A search for bad backups must not find a rehearsal.
            case _ where cycle.kind == .rehearsal: .rehearsed
            case .applicationConsistent: .verdictApplicationConsistent
            case .nativeCopy: .verdictNativeCopy
            case .crashConsistent: .verdictCrashConsistent
            case .unsupported: .verdictUnsupported
            }
        let priority: Event.Priority = verdict.guarantee >= .nativeCopy ? .notice : .warning
        return Event(
            priority, id, "\(text) (\(cycle.label)): \(verdict.text)", [(.verdict, verdict.guarantee.rawValue)])
    }
}
