// SPDX-License-Identifier: Apache-2.0

import FreezeHookBase
import Glibc
import SystemPackage

/// The second half of a cycle: frozen hooks are called with `thaw`. A thaw may be repeated any number of times.
package struct Thaw {
    private let context: CycleContext
    private let observer: (any CycleObserver)?
    private let recorder: CycleRecorder?

    // A run that goes on with its work is waited for again; one that writes nothing for a whole wait hangs.
    private static let waits = 5

    /// A thaw; the observer gets its events.
    package init(in context: CycleContext, observer: (any CycleObserver)? = nil) {
        self.init(in: context, observer: observer, recorder: nil)
    }

    /// A thaw by the process that has frozen, which still has the record open.
    init(in context: CycleContext, observer: (any CycleObserver)?, recorder: CycleRecorder?) {
        self.context = context
        self.observer = observer
        self.recorder = recorder
    }

    /// Runs the thaw to its end. Only the occasion `thaw` throws, where the settings report hooks that fail.
    @discardableResult
    package func run(_ occasion: ThawOccasion) throws(ThawError) -> ThawOutcome {
        try run(occasion) { _ in }
    }

    /// Runs the thaw; `beforeHooks` is called after the record's entry of the moment, before the first hook.
    func run(_ occasion: ThawOccasion, beforeHooks: (HookSequence) -> Void) throws(ThawError) -> ThawOutcome {
        let hasLock = takeLock(occasion.lock)
        let found = context.record()
        let target = withLostCycle(
            occasion.target(record: found, agentIsFrozen: context.agentIsFrozen, history: past))
        let record: CycleRecord?
        switch target {
        case .nothing: return leave(found, .nothing)
        case .leftAlone(let id): return leave(found, .leftAlone(cycle: id))
        case .ended(let cycle): return leave(found, .ended(cycle))
        case .cycle(let found): record = found
        case .everyHook, .lostCycle: record = nil
        }
        let stragglers = Stragglers(killGrace: context.settings.killGrace)
        // A thaw without a cycle has a record too, and may have been killed: before the new record forgets its hooks.
        var ended = record == nil ? stragglers.end(of: found) : []
        let cycle = sequence(of: target, occasion)
        noteFaults(of: target, occasion, in: cycle)
        cycle.mark(occasion.moment)
        if !hasLock { announceMissingLock(in: cycle) }
        announce(occasion, record, in: cycle)
        beforeHooks(cycle)
        if record != nil { ended = stragglers.end(of: found) }
        stragglers.tell(ended, cycle.log)
        let ending = CycleEnding(context: context, cycle: cycle)
        let held = callHooks(record, occasion, in: cycle, ending)
        guard occasion.endsCycle else { return .expired(cycle.kind, again: record?.hasExpired ?? false) }
        let outcome = end(occasion, mayBeHeld: held, in: cycle, ending)
        if case .thaw = occasion,
            let error = ThawError.ofHooks(cycle.failedCount, of: cycle.count, under: context.settings)
        {
            throw error
        }
        return outcome
    }

    /// The summary of a cycle that has ended; nil when nobody knows of its end.
    private func past(_ id: String) -> CycleSummary? {
        // Another thaw enters a cycle into the history only after its end, and a third one may remove the record before.
        if let record = recorder?.record, record.id == id, record.hasEnded { return CycleSummary(of: record) }
        return context.history.cycle(id)
    }

    /// The target of a thaw that finds no record but a guard, whose cycle has lost the record.
    private func withLostCycle(_ target: ThawTarget) -> ThawTarget {
        guard case .everyHook = target, let runDirectory = context.runDirectory else { return target }
        let cycle =
            Guard.cycle(in: runDirectory, unless: context.hasEnded)
            ?? LostProcesses(in: context).cycles.first
        return cycle.map { .lostCycle(id: $0, .backup) } ?? target
    }

    /// Takes the lock; false when its owner does not end.
    private func takeLock(_ lock: ThawOccasion.Lock) -> Bool {
        guard lock != .held, let runDirectory = context.runDirectory else { return true }
        var record = CycleRecorder.contents(in: runDirectory)
        for _ in 0..<Self.waits {
            guard case .busy = runDirectory.lock(within: patience(record)) else { return true }
            let newer = CycleRecorder.contents(in: runDirectory)
            if newer == record { break }
            record = newer
        }
        return false
    }

    /// How long a run with this record may write nothing: the hook that it runs has a limit of its own.
    private func patience(_ record: [UInt8]?) -> Duration {
        let settings = context.settings
        guard let run = record.flatMap(CycleRecord.init(parsing:))?.runs.last, run.end == nil else {
            return settings.thawTimeout
        }
        let directory = HookDirectory(path: context.locations.hookDirectory, settings: settings)
        let own = directory.entry(at: run.path).hook.timeout
        let limit = run.action == .thaw ? own : min(own, settings.freezeTimeout)
        let elapsed = MonotonicTime.now() - run.started.monotonic
        return max(settings.thawTimeout, limit + settings.killGrace - elapsed)
    }

    /// Ends a thaw that has nothing to do: with the record of a cycle that another one has ended.
    private func leave(_ record: CycleRecord?, _ outcome: ThawOutcome) -> ThawOutcome {
        if let record, record.hasEnded, !record.isUnfinished {
            // Who has ended the cycle leaves record and marker to this run, where it finds the lock taken.
            if context.runDirectory?.hasLock ?? false { context.imageMarker.remove() }
            context.removeEndedRecord()
        }
        context.runDirectory?.unlock()
        return outcome
    }

    /// Ends the cycle, unless something may still be held that a later thaw has to try again.
    private func end(
        _ occasion: ThawOccasion, mayBeHeld held: [FilePath], in cycle: HookSequence, _ ending: CycleEnding
    ) -> ThawOutcome {
        if !held.isEmpty && !occasion.endsUnthawed {
            let summary = ending.keep(mayBeHeld: held)
            cycle.log.write(Event(.error, .thawed, "not thawed: \(cycle.summary) (\(cycle.label))"))
            ending.settle(nil, callerHasLock: occasion.lock == .held)
            return .unthawed(summary)
        }
        if case .giveUp = occasion { ending.giveUp(held) }
        let ended = ending.finish()
        cycle.log.write(summary(of: cycle, ended?.verdict))
        ending.settle(ended?.summary, callerHasLock: occasion.lock == .held)
        return .ended(ended?.summary)
    }

    private func sequence(of target: ThawTarget, _ occasion: ThawOccasion) -> HookSequence {
        let (id, kind, mode): (String?, CycleKind, CycleRecorder.Mode) =
            switch target {
            case .cycle(let record): (record.id, record.kind, .existing)
            case .lostCycle(let id, let kind): (id, kind, .new)
            case .everyHook, .leftAlone, .ended, .nothing: (nil, .backup, .new)
            }
        let log =
            occasion.defersEvents
            ? EventLog(deferringIn: context.runDirectory)
            : EventLog(
                heldBackIn: context.runDirectory, settings: context.settings, locations: context.locations, cycle: id,
                observer: observer)
        return HookSequence(
            id: id ?? KernelID.random(), kind, recorder: mode, beginning: mode == .new ? [.every] : [], log: log,
            in: context, begin: .now())
    }

    /// Records the faults that this thaw knows of.
    private func noteFaults(of target: ThawTarget, _ occasion: ThawOccasion, in cycle: HookSequence) {
        if case .lostCycle(_, let kind) = target {
            cycle.mark(.begun)
            cycle.recorder?.append(.fault("the \(kind.noun)'s record was lost in the window"))
            // The lost record said so; a failing recipe has thawed nothing.
            let directory = HookDirectory(path: context.locations.hookDirectory, settings: context.settings)
            for entry in (try? directory.entries()) ?? [] where entry.hook.retriesThaw {
                cycle.recorder?.append(.retryThaw(path: entry.hook.path))
            }
        }
        if case .thaw = occasion, case .cycle(let record) = target, record.isFrozen, let agent = record.agent,
            agent == CallingAgent()
        {
            cycle.recorder?.append(.unanswered)
        }
        if case .rehearsalEnd(_, let fault) = occasion {
            if let fault { cycle.recorder?.append(.fault(fault)) }
        } else if cycle.kind == .rehearsal, occasion.endsCycle, case .cycle(let record) = target,
            record.moments[.thawing] == nil
        {
            cycle.recorder?.append(.fault("the rehearsal was ended before its time"))
        }
    }

    private func announceMissingLock(in cycle: HookSequence) {
        let time = DurationText.format(context.settings.thawTimeout)
        let text = "another freeze or thaw has not gone on for \(time): thawing beside it"
        cycle.log.write(Event(.warning, .cycleRecovered, text))
    }

    /// Logs why this thaw runs, where the reason is worth a line.
    private func announce(_ occasion: ThawOccasion, _ record: CycleRecord?, in cycle: HookSequence) {
        switch occasion {
        case .thaw, .giveUp:
            cycle.reportFaultsOfTheSystem()
            guard let expired = record?.moments[.expired] else { return }
            let delay = DurationText.seconds(.now() - expired.monotonic)
            cycle.log.write(
                Event(.error, .thawCameLate, "the thaw came \(delay) s after the guard had ended the window"))
        case .rehearsalEnd:
            return
        case .recovery, .recoverCommand, .killedFreeze:
            let hasBegun = record?.moments[.thawing] != nil
            let cause =
                hasBegun
                ? "its thaw has not come to its end; " : cycle.kind == .rehearsal ? "" : "its thaw never came; "
            cycle.log.write(
                Event(.warning, .cycleRecovered, "unfinished \(cycle.label): \(cause)thawing what it froze"))
        case .retry:
            cycle.log.write(Event(.info, .cycleRecovered, "the guard tries again to thaw the \(cycle.label)"))
        case .expiry where record?.hasExpired == true:
            cycle.log.write(Event(.info, .windowExpired, "the guard tries again to thaw the \(cycle.label)"))
        case .expiry(_, let limit):
            let time = DurationText.format(limit)
            cycle.log.write(Event(.error, .windowExpired, "no thaw came within \(time): the guard ends the window"))
        }
    }

    /// Calls the hooks; returns those that may still hold their application.
    private func callHooks(
        _ record: CycleRecord?, _ occasion: ThawOccasion, in cycle: HookSequence, _ ending: CycleEnding
    ) -> [FilePath] {
        let settings = context.settings
        if let record { ending.noteLostHolds(record) }
        let directory = HookDirectory(path: context.locations.hookDirectory, settings: settings)
        let paths = record.map { occasion.endsCycle || !$0.hasExpired ? $0.hooksToThaw : $0.mayBeHeld }
        cycle.thaw(
            directory.entriesToThaw(paths, settings.thawOrder, words: record?.thawWords ?? [:]) {
                cycle.noteUnreadable(directory, $0)
            },
            reason: occasion.reason,
            occasion.times(from: .now(), under: settings))
        // Nobody knows what a cycle without a record has frozen.
        if record == nil { for path in cycle.unanswered { cycle.recorder?.append(.held(path: path)) } }
        // Read again: thaw hooks release sessions, and may leave something running.
        let held = ending.closeWindow(context.record(), endsUnthawed: occasion.endsUnthawed)
        if record == nil { endLostProcesses(occasion, in: cycle) }
        if !occasion.endsCycle && !held.isEmpty { ending.reportHeld(held) }
        return held
    }

    /// Ends the guards and holders that nothing in the run directory leads to. The guard itself ends its own.
    private func endLostProcesses(_ occasion: ThawOccasion, in cycle: HookSequence) {
        if occasion.endsCycle { LostProcesses(in: context).end(tell: cycle.log) }
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
