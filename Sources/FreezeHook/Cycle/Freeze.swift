import FreezeHookBase
import Glibc
import SystemPackage

/// The first half of a cycle: every hook is called with `freeze`; when that fails, what was frozen is thawed again.
package struct Freeze {
    private let context: CycleContext
    private let begin = MonotonicTime.now()

    package init(in context: CycleContext) {
        self.context = context
    }

    /// Why a freeze is given up.
    private struct Failure: Error {
        /// The hook that failed, or nil for the program itself.
        var hook: String?
        var reason: String
        var messageID: MessageID
    }

    /// How a freeze ended.
    enum Outcome {
        /// Nothing was run.
        case refused(CommandResult)
        case frozen(id: String, GuardLink?)
        case rolledBack(CommandResult, CycleSummary?)
    }

    /// Runs the freeze to its end.
    package func run() -> CommandResult {
        if let refusal = takeLock() { return refusal }
        switch freeze(observer: nil) {
        case .refused(let result), .rolledBack(let result, _):
            return result
        case .frozen(_, let link):
            link?.frozen()
            return CommandResult(.done)
        }
    }

    /// The first half of a rehearsal: the same, but for an image and for a filesystem that anybody freezes. Its guard ends
    /// the window also when this process ends before it has thawed.
    func rehearse(_ observer: any CycleObserver) -> Outcome {
        if let refusal = takeLockToRehearse() { return .refused(refusal) }
        let outcome = freeze(observer: observer)
        if case .frozen(_, let link) = outcome { link?.rehearsed() }
        return outcome
    }

    private func freeze(observer: (any CycleObserver)?) -> Outcome {
        let isRehearsal = observer != nil
        let id = KernelID.random()
        let report = EventLog(
            settings: context.settings, locations: context.locations, cycle: id, observer: observer)
        let cycle = HookSequence(id: id, record: .new, isRehearsal: isRehearsal, report: report, in: context)
        cycle.mark(.begun)
        cycle.reportFaultsOfTheSystem()
        if isRehearsal { report.write(Event(.notice, nil, "rehearsal \(id): no filesystem will be frozen")) }
        let entries = entries(cycle)
        let link = entries.contains { $0.disposition == .runs } ? startGuard(of: cycle) : nil

        var frozen: [DirectoryEntry] = []
        do {
            try prepare(entries, in: cycle)
            cycle.mark(.windowOpened)
            try freeze(entries, in: cycle, frozen: &frozen)
        } catch {
            let outcome = rollBack(frozen, after: error, in: cycle)
            link?.ended()
            return outcome
        }
        cycle.mark(.frozen)
        cycle.reportLostRecord()
        // Nothing is imaged in a rehearsal: a marker would speak of an image that somebody takes by chance.
        if !isRehearsal { writeImageMarker(cycle) }
        let summary = "frozen: \(cycle.summary) (\(cycle.label))"
        report.write(Event(cycle.failedCount == 0 ? .notice : .warning, .frozen, summary))
        return .frozen(id: id, link)
    }

    private var deadline: MonotonicTime { begin + (context.settings.freezeTimeout - context.settings.rollbackReserve) }

    /// Takes the lock and thaws a cycle whose thaw was lost; a result is the refusal of this freeze.
    private func takeLock() -> CommandResult? {
        guard let runDirectory = context.runDirectory else { return nil }
        // A backup does not wait for the end of a rehearsal.
        if let rehearser = context.unfinishedCycle()?.rehearser, rehearser.isAlive { kill(rehearser.pid, SIGTERM) }
        let lock = runDirectory.lock(within: context.settings.rollbackReserve)
        if case .busy = lock { return refuse("another freeze or thaw is still running; try again when it has ended") }
        guard let record = context.unfinishedCycle() else { return nil }
        if record.isFrozen && !record.isRehearsal {
            // What the other run was: a freeze like this one, or the guard or a thaw at its work on an older cycle.
            if case .waited = lock, !record.isBeingThawed {
                return refuse("the cycle \(record.id) was frozen meanwhile; thaw it first")
            }
            if context.agentIsFrozen {
                return refuse("the cycle \(record.id) is frozen and qemu-ga holds its filesystems; thaw it first")
            }
        }
        // Half of the time: the freeze that was asked for needs the rest.
        Thaw(in: context).recover(record, until: begin + context.settings.freezeTimeout / 2)
        return nil
    }

    /// Takes the lock for a rehearsal, which gives way to everything else.
    private func takeLockToRehearse() -> CommandResult? {
        guard let runDirectory = context.runDirectory else { return nil }
        if case .busy = runDirectory.lock(within: Self.rehearsalPatience) {
            return refuse("another freeze or thaw is running; try again when it has ended")
        }
        if let record = context.unfinishedCycle() {
            let kind = record.isRehearsal ? "rehearsal" : "cycle"
            return refuse("the \(kind) \(record.id) has not ended; 'fsfreeze-hook status' says what it waits for")
        }
        guard context.agentIsFrozen else { return nil }
        return refuse("qemu-ga holds the filesystems frozen; try again when they are thawed")
    }

    private static let rehearsalPatience = Duration.seconds(1)

    private func refuse(_ reason: String) -> CommandResult {
        CommandResult(.busy, reason)
    }

    private func entries(_ cycle: HookSequence) -> [DirectoryEntry] {
        let directory = HookDirectory(path: context.locations.hookDirectory, settings: context.settings)
        do {
            return try directory.entries()
        } catch {
            let place = SafeText.clean(directory.path)
            cycle.report.write(Event(.warning, nil, "no hook runs: the directory \(place) cannot be read: \(error)"))
            return []
        }
    }

    /// Starts the guard before the first hook; a freeze without one goes on, and says so.
    private func startGuard(of cycle: HookSequence) -> GuardLink? {
        let limit = context.settings.holdLimit
        guard limit > .zero, cycle.record?.failure == nil, context.runDirectory != nil else { return nil }
        do {
            let link = try GuardLink(cycle: cycle.id, locations: context.locations)
            cycle.record?.append(.guardian(link.process, socket: link.socketName))
            let text = "guard: \(link.placement); without a thaw it ends the window after \(DurationText.format(limit))"
            cycle.report.write(Event(.info, .guardStarted, text))
            return link
        } catch {
            cycle.report.write(Event(.error, .guardFailed, "\(error); a lost thaw leaves the applications frozen"))
            return nil
        }
    }

    /// Calls those hooks that declare it with `prepare`: their long work is done before anything is locked.
    private func prepare(_ entries: [DirectoryEntry], in cycle: HookSequence) throws(Failure) {
        let end = begin + context.settings.prepareLimit
        for entry in entries where entry.disposition == .runs && entry.hook.prepares {
            try runOne(entry.hook, .prepare, until: end, in: cycle)
        }
    }

    /// Runs the hooks in their order until one fails in a way that ends the freeze.
    private func freeze(_ entries: [DirectoryEntry], in cycle: HookSequence, frozen: inout [DirectoryEntry])
        throws(Failure)
    {
        for entry in entries {
            switch entry.disposition {
            case .skipped:
                continue
            case .refused(let reason):
                cycle.refuse(entry.hook, .freeze, reason)
                if aborts(entry.hook) {
                    throw Failure(hook: entry.hook.name, reason: "refused: \(reason)", messageID: .hookRefused)
                }
            case .runs:
                // Before it runs: a hook that is cut off may have frozen something.
                if .now() < deadline { frozen.append(entry) }
                try runOne(entry.hook, .freeze, until: deadline, in: cycle)
            }
        }
        if let signal = cycle.stopRequest { throw Self.interrupted(by: signal) }
    }

    private func aborts(_ hook: Hook) -> Bool {
        hook.isRequired || context.settings.onFailure == .abort
    }

    private func runOne(_ hook: Hook, _ action: HookAction, until end: MonotonicTime, in cycle: HookSequence)
        throws(Failure)
    {
        if let signal = cycle.stopRequest { throw Self.interrupted(by: signal) }
        guard .now() < end else {
            let text = "the time for the freeze (\(DurationText.format(context.settings.freezeTimeout))) is used up"
            cycle.refuse(hook, action, text, .budgetExhausted)
            if aborts(hook) { throw Failure(hook: hook.name, reason: text, messageID: .budgetExhausted) }
            return
        }
        let outcome = cycle.freeze(hook, action, until: end)
        if outcome.interrupted, let signal = cycle.stopRequest { throw Self.interrupted(by: signal) }
        guard outcome.failed && aborts(hook) else { return }
        let explanation = outcome.explanation.map { " (\($0))" } ?? ""
        let call = action == .freeze ? "" : "\(action.rawValue) "
        throw Failure(
            hook: hook.name, reason: "\(call)finished with status=\(outcome.status)\(explanation)",
            messageID: .hookFailed)
    }

    private static func interrupted(by signal: Int32) -> Failure {
        Failure(hook: nil, reason: "interrupted by \(signalName(signal))", messageID: .interrupted)
    }

    /// Leaves in the image how it was taken.
    private func writeImageMarker(_ cycle: HookSequence) {
        guard let runDirectory = context.runDirectory, let record = CycleRecorder.contents(in: runDirectory) else {
            return
        }
        do {
            try context.imageMarker.write(record)
        } catch {
            let place = SafeText.clean(context.locations.stateDirectory)
            cycle.report.write(
                Event(.warning, .stateUnavailable, "the image marker in \(place) cannot be written: \(error)"))
        }
    }

    /// Thaws what was started, the failing hook first, and says why.
    private func rollBack(_ frozen: [DirectoryEntry], after failure: Failure, in cycle: HookSequence) -> Outcome {
        let cause = (failure.hook.map { "\($0): " } ?? "") + failure.reason
        let elapsed = DurationText.seconds(.now() - cycle.begin)
        cycle.report.write(Event(.error, failure.messageID, "rolling back: \(cause) after \(elapsed) s"))
        let rollback = MonotonicTime.now()
        let (countBefore, failedBefore) = (cycle.count, cycle.failedCount)
        let ending = CycleEnding(context: context, cycle: cycle)
        if failure.hook == nil { cycle.record?.append(.fault(cause)) }
        cycle.mark(.thawing)
        cycle.thaw(frozen.reversed(), reason: .rollback, until: begin + context.settings.freezeTimeout)
        if let record = context.unfinishedCycle() { ending.closeWindow(record) }
        let ended = ending.finish()
        let failed = cycle.failedCount - failedBefore
        let count = cycle.count - countBefore
        let counts = "\(count) \(count == 1 ? "hook" : "hooks"), \(failed) failed"
        let time = DurationText.seconds(.now() - rollback)
        cycle.report.write(Event(.error, .rolledBack, "rolled back: \(counts), in \(time) s (\(cycle.label))"))
        let outcome = failed == 0 ? "rolled back, nothing is frozen" : "rolled back, but \(failed) failed to thaw"
        return .rolledBack(CommandResult(.failed, "\(cause) after \(elapsed) s; \(outcome)"), ended?.summary)
    }
}
