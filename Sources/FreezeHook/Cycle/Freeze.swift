// SPDX-License-Identifier: Apache-2.0

import FreezeHookBase
import Glibc
import SystemPackage

/// The first half of a cycle: every hook is called with `freeze`; a freeze that fails is rolled back.
package struct Freeze {
    private let kind: CycleKind
    private let context: CycleContext
    private let begin: MonotonicTime
    private let observer: (any CycleObserver)?

    // A rehearsal gives way to everything else.
    private static let rehearsalPatience = Duration.seconds(1)

    /// A freeze whose time counts from `begin`; the observer gets its events.
    package init(
        _ kind: CycleKind, in context: CycleContext, begin: MonotonicTime, observer: (any CycleObserver)? = nil
    ) {
        self.kind = kind
        self.context = context
        self.begin = begin
        self.observer = observer
    }

    /// Runs the freeze to its end.
    ///
    /// The guard of a rehearsal also ends the window when this process ends before its thaw; the guard of a backup
    /// waits for the thaw.
    package func run() throws(FreezeError) -> FrozenCycle {
        let handedOver = try beginCycle()
        let found = context.record()
        let id = KernelID.random()
        let log = EventLog(
            settings: context.settings, locations: context.locations, cycle: id, observer: observer)
        // Those of a thaw without a cycle, before the new record forgets them; a lost cycle has been thawed.
        Stragglers(killGrace: context.settings.killGrace).end(of: found, tell: log)
        let cycle = HookSequence(
            id: id, kind, recorder: .new, beginning: handedOver, log: log, in: context, begin: .now())
        cycle.mark(.begun)
        cycle.reportFaultsOfTheSystem()
        // Where somebody has removed the directory or its files in the window: no other freeze looks at all processes.
        if context.runDirectory?.isNew ?? false || !handedOver.isEmpty { LostProcesses(in: context).end(tell: log) }
        if kind == .rehearsal { log.write(Event(.notice, nil, "rehearsal \(id): no filesystem will be frozen")) }
        let directory = HookDirectory(path: context.locations.hookDirectory, settings: context.settings)
        let listing = Result { () throws(Errno) in try directory.entries() }
        let entries = (try? listing.get()) ?? []
        let needsGuard = !handedOver.isEmpty || entries.contains { $0.disposition == .runs }
        let link = needsGuard ? startGuard(of: cycle) : nil

        var frozen: [DirectoryEntry] = []
        do {
            if case .failure(let error) = listing { try note(error, of: directory, in: cycle) }
            try prepare(entries, in: cycle)
            cycle.mark(.windowOpened)
            try freeze(entries, in: cycle, frozen: &frozen)
            try complete(cycle, link)
        } catch {
            let rollback = rollBack(frozen, after: error, in: cycle)
            if rollback.mayBeHeld.isEmpty { link?.ended() } else { link?.unthawed() }
            throw .rolledBack(rollback)
        }
        return FrozenCycle(id: id, link: link, recorder: cycle.recorder)
    }

    /// Does what comes behind the last hook: records, writes the image marker, tells log and guard. Throws when the host
    /// may no longer wait, or somebody has thawed meanwhile.
    private func complete(_ cycle: HookSequence, _ link: GuardLink?) throws(FreezeFailure) {
        cycle.recordLeftovers()
        if kind == .backup, let agent = CallingAgent() {
            cycle.recorder?.append(.agent(agent.process, writes: agent.writes))
        }
        cycle.mark(.frozen)
        cycle.reportLostRecord()
        // A rehearsal takes no image: its marker would describe an image that somebody takes by chance.
        if kind == .backup { writeImageMarker(cycle) }
        try expectInTime(cycle)
        let summary = "frozen: \(cycle.summary) (\(cycle.label))"
        cycle.log.write(Event(cycle.failedCount == 0 ? .notice : .warning, .frozen, summary))
        switch kind {
        case .backup: link?.frozen()
        case .rehearsal: link?.rehearsed()
        }
        // The write to the log may have waited in the kernel. Nothing comes between this and the end that may wait.
        try expectInTime(cycle)
    }

    private func expectInTime(_ cycle: HookSequence) throws(FreezeFailure) {
        if let failure = cycle.end() { throw failure }
        if .now() >= policy.end(from: begin) { throw .tooLate(limit: context.settings.freezeTimeout) }
    }

    private var policy: FreezePolicy { FreezePolicy(settings: context.settings) }

    /// Takes the lock; then goes on, thaws a lost cycle first, or refuses, as `Admission` decides. Returns what the
    /// new record takes over after that thaw.
    private func beginCycle() throws(FreezeError) -> [RecordEntry] {
        guard let runDirectory = context.runDirectory else { return [] }
        if kind == .backup { interruptRehearsal() }
        let lock = takeLock(in: runDirectory)
        let decision = Admission.decide(
            kind, lock: lock, unfinished: context.unfinishedCycle(), agentIsFrozen: context.agentIsFrozen)
        switch decision {
        case .proceed:
            sweepDeadFiles(in: runDirectory, windowIsOpen: false)
            return lostHooks
        case .recover(let record):
            recoverLostCycle(record)
            sweepDeadFiles(in: runDirectory, windowIsOpen: context.unfinishedCycle() != nil)
            return context.handedOver
        case .refuse(let error): throw error
        }
    }

    /// What a cycle held whose record somebody has removed in the window, with the directory or alone, as its image marker
    /// has it.
    private var lostHooks: [RecordEntry] {
        guard let marker = context.imageMarker.left, !context.hasEnded(marker.id) else { return [] }
        let directory = context.locations.hookDirectory
        return marker.handedOver(marker.hooksToThaw.filter { $0.removingLastComponent() == directory })
    }

    private func sweepDeadFiles(in runDirectory: RunDirectory, windowIsOpen: Bool) {
        DeadFiles(runDirectory: runDirectory, settings: context.settings).sweep(windowIsOpen: windowIsOpen)
    }

    /// Asks a rehearsal to end now (SIGTERM): a backup does not wait for it.
    private func interruptRehearsal() {
        if let rehearser = context.unfinishedCycle()?.rehearser, rehearser.isAlive { kill(rehearser.pid, SIGTERM) }
    }

    private func takeLock(in runDirectory: RunDirectory) -> RunDirectory.Lock {
        switch kind {
        case .backup: runDirectory.lock(within: context.settings.rollbackReserve)
        case .rehearsal: runDirectory.lock(within: Self.rehearsalPatience)
        }
    }

    /// Thaws a cycle whose own thaw never came.
    private func recoverLostCycle(_ record: CycleRecord) {
        let deadline = policy.recoveryDeadline(from: begin)
        // A recovery throws nothing: the settings report failing hooks to who calls for a thaw.
        _ = try? Thaw(in: context).run(.recovery(record, until: deadline))
    }

    /// Tells of a hook directory that cannot be listed. One that is not there holds no hook; in another there may be
    /// hooks, and that none of them is called is a failure.
    private func note(_ error: Errno, of directory: HookDirectory, in cycle: HookSequence) throws(FreezeFailure) {
        let failure = FreezeFailure.directoryUnreadable(directory.path, reason: error)
        let isFailure = error != .noSuchFileOrDirectory
        cycle.log.write(Event(isFailure ? .error : .warning, isFailure ? .hookRefused : nil, "\(failure)"))
        guard isFailure else { return }
        // A rollback records its failure itself.
        if policy.abortsWithoutHooks { throw failure }
        cycle.recorder?.append(.fault("\(failure)"))
    }

    /// Starts the guard before the first hook; a freeze without a guard goes on, and the log says so.
    private func startGuard(of cycle: HookSequence) -> GuardLink? {
        let limit = context.settings.holdLimit
        guard limit > .zero, cycle.recorder?.failure == nil, context.runDirectory != nil else { return nil }
        do {
            let link = try GuardLink(cycle: cycle.id, locations: context.locations)
            cycle.recorder?.append(.guardian(link.process, socket: link.socketName))
            let text = "guard: \(link.placement); without a thaw it ends the window after \(DurationText.format(limit))"
            cycle.log.write(Event(.info, .guardStarted, text))
            if let reason = link.unreachable {
                let text = "the guard has no socket: \(reason); sessions are held where the agent lives"
                cycle.log.write(Event(.warning, .guardFailed, text))
            }
            return link
        } catch {
            let text = "the guard: \(error); a lost thaw leaves the applications frozen"
            cycle.log.write(Event(.error, .guardFailed, text))
            return nil
        }
    }

    /// Calls the hooks that declare `prepare`: their long work comes before the first lock.
    private func prepare(_ entries: [DirectoryEntry], in cycle: HookSequence) throws(FreezeFailure) {
        let end = policy.prepareDeadline(from: begin)
        for entry in entries where entry.disposition == .runs && entry.hook.prepares {
            try runOne(entry.hook, .prepare, until: end, in: cycle)
        }
    }

    /// Runs the hooks in their order until one fails in a way that ends the freeze.
    private func freeze(_ entries: [DirectoryEntry], in cycle: HookSequence, frozen: inout [DirectoryEntry])
        throws(FreezeFailure)
    {
        let deadline = policy.deadline(from: begin)
        for entry in entries {
            switch entry.disposition {
            case .skipped:
                continue
            case .refused(let refusal):
                cycle.refuse(entry.hook, .freeze, "\(refusal)")
                if policy.aborts(entry.hook) { throw .hookRefused(hook: entry.hook.name, reason: "\(refusal)") }
            case .runs:
                // Before the call: a hook that is cut off may have frozen its application.
                if .now() < deadline { frozen.append(entry) }
                try runOne(entry.hook, .freeze, until: deadline, in: cycle)
            }
        }
        if let signal = cycle.stopRequest { throw .interrupted(signal: signal) }
    }

    private func runOne(_ hook: Hook, _ action: HookAction, until end: MonotonicTime, in cycle: HookSequence)
        throws(FreezeFailure)
    {
        if let signal = cycle.stopRequest { throw .interrupted(signal: signal) }
        if let failure = cycle.recentEnd() { throw failure }
        guard .now() < end else {
            let failure = FreezeFailure.outOfTime(hook: hook.name, limit: context.settings.freezeTimeout)
            cycle.refuse(hook, action, failure.reason, failure.messageID)
            if policy.aborts(hook) { throw failure }
            return
        }
        let outcome = cycle.freeze(hook, action, until: end)
        if let failure = policy.failure(of: hook, action, outcome, stopRequest: cycle.stopRequest) { throw failure }
    }

    /// Writes the image marker: the record so far.
    private func writeImageMarker(_ cycle: HookSequence) {
        guard context.runDirectory != nil, cycle.recorder?.failure == nil else { return }
        do throws(MarkerError) {
            try MarkerWriter.settle(
                cycle: cycle.id, context.locations, until: policy.markerDeadline(from: begin, now: .now()))
        } catch {
            let place = SafeText.clean(context.locations.stateDirectory)
            cycle.log.write(
                Event(.warning, .stateUnavailable, "the image marker in \(place) cannot be written: \(error)"))
        }
    }

    /// The hooks of the freeze that nobody has thawed meanwhile, the last one first; all of them without their record.
    private func toThaw(_ frozen: [DirectoryEntry], _ cycle: HookSequence) -> [DirectoryEntry] {
        guard let record = context.record(), record.id == cycle.id else { return frozen.reversed() }
        let paths = Set(record.hooksToThaw)
        return frozen.reversed().filter { paths.contains($0.hook.path) }
    }

    /// Thaws the hooks that were started, the failing one first, and logs why.
    private func rollBack(_ frozen: [DirectoryEntry], after failure: FreezeFailure, in cycle: HookSequence) -> Rollback
    {
        let start = MonotonicTime.now()
        let elapsed = start - cycle.begin
        let time = DurationText.seconds(elapsed)
        cycle.log.holdBack(in: context.runDirectory)
        cycle.log.write(Event(.error, failure.messageID, "rolling back: \(failure) after \(time) s"))
        let (countBefore, failedBefore) = (cycle.count, cycle.failedCount)
        let ending = CycleEnding(context: context, cycle: cycle)
        if failure.hook == nil { cycle.recorder?.append(.fault("\(failure)")) }
        cycle.mark(.thawing)
        let retryEnd = policy.rollbackDeadline(from: begin)
        cycle.thaw(toThaw(frozen, cycle), reason: .rollback, HookSequence.ThawTimes(retryEnd: retryEnd))
        // A thaw that came meanwhile has ended the cycle, and the record may be another's by now.
        let record = context.unfinishedCycle()
        let isOwn = record.map { $0.id == cycle.id } ?? true
        let held = isOwn ? ending.closeWindow(record) : []
        let ended = held.isEmpty && isOwn ? ending.finish()?.summary : nil
        let summary = held.isEmpty ? ended : ending.keep(mayBeHeld: held)
        let failed = cycle.failedCount - failedBefore
        let counts = "\(CountText.format(cycle.count - countBefore, "hook")), \(failed) failed"
        let thawTime = DurationText.seconds(.now() - start)
        cycle.log.write(Event(.error, .rolledBack, "rolled back: \(counts), in \(thawTime) s (\(cycle.label))"))
        ending.settle(ended, callerHasLock: false)
        return Rollback(
            cause: failure, elapsed: elapsed, thawFailures: failed, mayBeHeld: held.map(\.name), cycle: summary)
    }
}
