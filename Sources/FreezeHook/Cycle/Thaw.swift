import FreezeHookBase
import Glibc
import SystemPackage

/// The second half of a cycle: what was frozen is called with `thaw`. It always thaws, and may come any number of times.
package struct Thaw {
    private let context: CycleContext
    private let begin = MonotonicTime.now()

    /// A thaw in these places.
    package init(in context: CycleContext) {
        self.context = context
    }

    /// Thaws what the record names; without a record, every hook of the directory.
    package func run() -> CommandResult {
        if let refusal = takeLock() { return refusal }
        let record = context.unfinishedCycle()
        let cycle = cycle(record, report: directReport(record?.id))
        cycle.reportFaultsOfTheSystem()
        if let expired = record?.moments[.expired] {
            let delay = DurationText.seconds(.now() - expired.monotonic)
            cycle.report.write(
                Event(.error, .thawCameLate, "the thaw came \(delay) s after the guard had ended the window"))
        }
        let ended = thaw(record, reason: .thaw, in: cycle)
        cycle.report.write(summary(of: cycle, record, ended?.verdict))
        return result(of: cycle)
    }

    /// The second half of a rehearsal: thaws that one, and no other cycle that has come since. `fault` is why it ends before
    /// its time. Returns what the history keeps of it; nil when that cannot be known any more.
    func endRehearsal(_ id: String, fault: String?, _ observer: any CycleObserver) -> CycleSummary? {
        // Without the lock too, should its owner hang in the kernel: this lock must be given up.
        _ = takeLock()
        let record = context.unfinishedCycle()
        if record?.id != id {
            if let known = history.cycle(id) { return known }
            // Another cycle began only after it had thawed this one.
            if record != nil { return nil }
        }
        let report = directReport(id, observer)
        // Not ended, but lost with the run directory: whatever lies in the hook directory is thawed.
        let cycle = HookSequence(
            id: id, record: record == nil ? .new : .existing, isRehearsal: true, report: report, in: context)
        if record == nil {
            cycle.mark(.begun)
            cycle.record?.append(.fault("the rehearsal's record was lost in the window"))
        }
        if let fault { cycle.record?.append(.fault(fault)) }
        let ended = thaw(record, reason: .rehearsal, in: cycle)
        cycle.report.write(summary(of: cycle, record, ended?.verdict))
        return ended?.summary
    }

    /// Thaws a cycle whose own thaw never came, within the freeze that has found it.
    func recover(_ record: CycleRecord, until deadline: MonotonicTime) {
        let cycle = cycle(record, report: directReport(record.id))
        cycle.report.write(
            Event(
                .warning, .cycleRecovered,
                record.isRehearsal
                    ? "unfinished \(cycle.label): thawing what it froze"
                    : "unfinished \(cycle.label): its thaw never came; thawing what it froze"))
        let ended = thaw(record, reason: .recover, in: cycle, until: deadline)
        cycle.report.write(summary(of: cycle, record, ended?.verdict))
    }

    /// Thaws what a stale record names; leaves it alone while qemu-ga holds the filesystems frozen: its thaw will come.
    package func recover() -> CommandResult {
        if let refusal = takeLock() { return refusal }
        guard let record = context.unfinishedCycle() else { return CommandResult(.done) }
        if record.isFrozen && context.agentIsFrozen {
            return CommandResult(
                .done, "the cycle \(record.id) is left alone: qemu-ga holds its filesystems frozen and will thaw")
        }
        recover(record, until: deadline)
        return CommandResult(.done)
    }

    /// The guard's part when the freeze was killed before its end: qemu-ga goes on without freezing, and no thaw comes.
    func recoverAfterKill(_ id: String) {
        _ = takeLock()
        guard let record = context.unfinishedCycle(), record.id == id else { return }
        recover(record, until: deadline)
    }

    /// The guard's part when no thaw came in time. The record stays for the thaw that may still come, and nothing is
    /// written to a disk or sent to the journal: the filesystems may be frozen.
    ///
    /// `settings` are those the guard was started with: the file may have been broken in the window.
    func expire(_ id: String, under settings: Settings) {
        // Without the lock too, should its owner hang in the kernel: a lock that is not released is an outage.
        _ = takeLock()
        let record = context.runDirectory.flatMap(CycleRecorder.read)
        if let record {
            guard record.id == id, !record.hasExpired else { return }
        } else if history.cycle(id) != nil {
            return
        }
        let cycle = cycle(record, id: id, report: EventLog(deferringIn: context.runDirectory))
        if record == nil {
            // Not ended, but lost: /run was full, or somebody has removed it. Whatever lies in the directory is thawed.
            cycle.mark(.begun)
            cycle.record?.append(.fault("the cycle's record was lost in the window"))
        }
        cycle.mark(.expired)
        let limit = DurationText.format(settings.holdLimit)
        cycle.report.write(Event(.error, .windowExpired, "no thaw came within \(limit): the guard ends the window"))
        // A rehearsal has frozen none.
        let isRehearsal = record?.isRehearsal == true
        if settings.thawFilesystems && !isRehearsal { thawFilesystems(in: cycle) }
        let ending = CycleEnding(context: context, cycle: cycle)
        runHooks(record, reason: .expired, in: cycle, ending, until: deadline)
        if !isRehearsal { correctImageMarker(filesystemsAreThawed: settings.thawFilesystems) }
    }

    /// An image taken from now on must not say that its applications were held. Where qemu-ga still holds the
    /// filesystems the disk is as it was when they were, and what lies on it stays true.
    private func correctImageMarker(filesystemsAreThawed: Bool) {
        guard filesystemsAreThawed || !context.agentIsFrozen, let runDirectory = context.runDirectory,
            let record = CycleRecorder.contents(in: runDirectory)
        else { return }
        // Should somebody else hold the filesystem frozen, this waits in the kernel: the thaw must not wait for us.
        runDirectory.unlock()
        try? context.imageMarker.write(record)
        // A thaw may have ended the cycle meanwhile.
        if context.unfinishedCycle() == nil { context.imageMarker.remove() }
    }

    private var deadline: MonotonicTime { begin + context.settings.thawTimeout }

    private func takeLock() -> CommandResult? {
        guard let runDirectory = context.runDirectory,
            case .busy = runDirectory.lock(within: context.settings.thawTimeout)
        else { return nil }
        return CommandResult(.busy, "another freeze or thaw is still running; try again when it has ended")
    }

    private var history: History {
        History(directory: context.stateDirectory, limit: context.settings.historyLimit)
    }

    private func cycle(_ record: CycleRecord?, id: String? = nil, report: EventLog) -> HookSequence {
        // A thaw without a freeze has a record of its own, so that its hooks may hold and leave something running.
        guard let record else {
            return HookSequence(id: id ?? KernelID.random(), record: .new, report: report, in: context)
        }
        return HookSequence(
            id: record.id, record: .existing, isRehearsal: record.isRehearsal, report: report, in: context)
    }

    /// Log and journal, which are told first what had to wait.
    private func directReport(_ id: String?, _ observer: (any CycleObserver)? = nil) -> EventLog {
        let report = EventLog(
            settings: context.settings, locations: context.locations, cycle: id, observer: observer)
        if let runDirectory = context.runDirectory { report.write(DeferredEvents.take(from: runDirectory)) }
        return report
    }

    private func thaw(
        _ record: CycleRecord?, reason: RunReason, in cycle: HookSequence, until deadline: MonotonicTime? = nil
    ) -> (verdict: Verdict, summary: CycleSummary)? {
        let ending = CycleEnding(context: context, cycle: cycle)
        if let record, record.isRehearsal, reason != .rehearsal {
            cycle.record?.append(.fault("the rehearsal was ended before its time"))
        }
        cycle.mark(.thawing)
        runHooks(record, reason: reason, in: cycle, ending, until: deadline ?? self.deadline)
        return ending.finish()
    }

    private func runHooks(
        _ record: CycleRecord?, reason: RunReason, in cycle: HookSequence, _ ending: CycleEnding,
        until deadline: MonotonicTime
    ) {
        if let record {
            endStragglers(of: record, in: cycle)
            ending.noteLostHolds(record)
        }
        let hooks = hooks(of: record)
        cycle.thaw(context.settings.thawOrder == .reverse ? hooks.reversed() : hooks, reason: reason, until: deadline)
        // Read again: thaw hooks release sessions, and may leave something running.
        if let record = context.runDirectory.flatMap(CycleRecorder.read) { ending.closeWindow(record) }
    }

    private func endStragglers(of record: CycleRecord, in cycle: HookSequence) {
        for path in Stragglers(killGrace: context.settings.killGrace).end(of: record) {
            let text = "\(SafeText.clean(path)) was still running although its program was killed: ended"
            cycle.report.write(Event(.warning, .cycleRecovered, text))
        }
    }

    /// What has to be thawed, in the order of the freeze.
    private func hooks(of record: CycleRecord?) -> [DirectoryEntry] {
        let directory = HookDirectory(path: context.locations.hookDirectory, settings: context.settings)
        guard let record else {
            // Nothing is known to be frozen: a directory that cannot be read is no failure.
            return ((try? directory.entries()) ?? []).filter {
                if case .skipped = $0.disposition { false } else { true }
            }
        }
        return record.hooksToThaw.map { directory.entry(at: $0.path) }
    }

    private func thawFilesystems(in cycle: HookSequence) {
        let mountPoints = FilesystemThaw.run()
        guard !mountPoints.isEmpty else { return }
        let names = mountPoints.map { SafeText.clean($0) }.joined(separator: ", ")
        cycle.record?.append(.fault("the guard thawed the filesystems \(names) at \(WallTime.now().rfc3339)"))
        cycle.report.write(Event(.error, .windowExpired, "the guard thawed the filesystems \(names)"))
    }

    private func summary(of cycle: HookSequence, _ record: CycleRecord?, _ verdict: Verdict?) -> Event {
        let text = "thawed: \(cycle.summary)"
        guard record != nil, let verdict else {
            return Event(cycle.failedCount == 0 ? .notice : .warning, .thawed, "\(text) (no cycle)")
        }
        let id: MessageID =
            switch verdict.guarantee {
            // Whoever looks for bad backups must not find a rehearsal.
            case _ where cycle.isRehearsal: .rehearsed
            case .applicationConsistent: .verdictApplicationConsistent
            case .nativeCopy: .verdictNativeCopy
            case .crashConsistent: .verdictCrashConsistent
            case .unsupported: .verdictUnsupported
            }
        let priority: Event.Priority = verdict.guarantee >= .nativeCopy ? .notice : .warning
        return Event(
            priority, id, "\(text) (\(cycle.label)): \(verdict.text)", [(.verdict, verdict.guarantee.rawValue)])
    }

    private func result(of cycle: HookSequence) -> CommandResult {
        let settings = context.settings
        // Hosts discard a good snapshot after a thaw that fails. Silent with exit status 0: an agent of 9.1 can crash on
        // any output.
        guard cycle.failedCount > 0, settings.onFailure == .abort, settings.thawFailure == .report else {
            return CommandResult(.done)
        }
        return CommandResult(.failed, "\(cycle.failedCount) of \(cycle.count) hooks failed to thaw; the log says which")
    }
}
