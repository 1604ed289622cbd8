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
    private struct Failure {
        /// The hook that failed, or nil for the program itself.
        var hook: String?
        var reason: String
        var messageID: MessageID
    }

    /// Runs the freeze to its end.
    package func run() -> CommandResult {
        if let refusal = takeLock() { return refusal }
        let cycle = CycleRun(id: CycleContext.newCycleID(), isNew: true, in: context)
        cycle.reportFaultsOfTheSystem()

        var frozen: [DirectoryEntry] = []
        let failure = freeze(entries(cycle), in: cycle, frozen: &frozen)
        if let failure { return rollBack(frozen, after: failure, in: cycle) }
        cycle.markFrozen()
        cycle.reportFaultsOfTheSystem()
        let summary = "frozen: \(cycle.summary) (cycle \(cycle.id))"
        cycle.report.write(Event(cycle.failedCount == 0 ? .notice : .warning, .frozen, summary))
        return CommandResult(.done)
    }

    private var deadline: MonotonicTime { begin + (context.settings.freezeTimeout - context.settings.rollbackReserve) }

    /// Takes the lock and thaws a cycle whose thaw was lost; a result is the refusal of this freeze.
    private func takeLock() -> CommandResult? {
        guard let runDirectory = context.runDirectory else { return nil }
        let lock = runDirectory.lock(within: context.settings.rollbackReserve)
        if case .busy = lock { return refuse("another freeze or thaw is still running; try again when it has ended") }
        guard let record = context.unfinishedCycle() else { return nil }
        if record.isFrozen {
            if case .waited = lock { return refuse("the cycle \(record.id) was frozen meanwhile; thaw it first") }
            if context.agentIsFrozen {
                return refuse("the cycle \(record.id) is frozen and qemu-ga holds its filesystems; thaw it first")
            }
        }
        // Half of the time: the freeze that was asked for needs the rest.
        Thaw(in: context).recover(record, until: begin + context.settings.freezeTimeout / 2)
        return nil
    }

    private func refuse(_ reason: String) -> CommandResult {
        CommandResult(.busy, reason)
    }

    private func entries(_ cycle: CycleRun) -> [DirectoryEntry] {
        let directory = HookDirectory(path: context.locations.hookDirectory, settings: context.settings)
        do {
            return try directory.entries()
        } catch {
            cycle.report.write(
                Event(
                    .warning, nil,
                    "no hook runs: the directory \(SafeText.clean(directory.path)) cannot be read: \(error)"))
            return []
        }
    }

    /// Runs the hooks in their order until one fails in a way that ends the freeze.
    private func freeze(_ entries: [DirectoryEntry], in cycle: CycleRun, frozen: inout [DirectoryEntry]) -> Failure? {
        let aborts = { (hook: Hook) in hook.isRequired || context.settings.onFailure == .abort }
        for entry in entries {
            if let signal = cycle.stopRequest { return Self.interrupted(by: signal) }
            switch entry.disposition {
            case .skipped:
                continue
            case .refused(let reason):
                cycle.refuse(entry.hook, .freeze, reason)
                if aborts(entry.hook) {
                    return Failure(hook: entry.hook.name, reason: "refused: \(reason)", messageID: .hookRefused)
                }
            case .runs:
                if .now() >= deadline {
                    let text =
                        "the time for the freeze (\(DurationText.format(context.settings.freezeTimeout))) is used up"
                    cycle.refuse(entry.hook, .freeze, text)
                    if aborts(entry.hook) {
                        return Failure(hook: entry.hook.name, reason: text, messageID: .budgetExhausted)
                    }
                    continue
                }
                frozen.append(entry)
                let outcome = cycle.freeze(entry.hook, until: deadline)
                if outcome.interrupted, let signal = cycle.stopRequest { return Self.interrupted(by: signal) }
                if outcome.failed && aborts(entry.hook) {
                    let explanation = outcome.explanation.map { " (\($0))" } ?? ""
                    return Failure(
                        hook: entry.hook.name, reason: "finished with status=\(outcome.status)\(explanation)",
                        messageID: .hookFailed)
                }
            }
        }
        return cycle.stopRequest.map(Self.interrupted)
    }

    private static func interrupted(by signal: Int32) -> Failure {
        Failure(hook: nil, reason: "interrupted by \(signalName(signal))", messageID: .interrupted)
    }

    /// Thaws what was started, the failing hook first, and says why.
    private func rollBack(_ frozen: [DirectoryEntry], after failure: Failure, in cycle: CycleRun) -> CommandResult {
        let cause = (failure.hook.map { "\($0): " } ?? "") + failure.reason
        let elapsed = DurationText.seconds(.now() - cycle.begin)
        cycle.report.write(Event(.error, failure.messageID, "rolling back: \(cause) after \(elapsed) s"))
        let rollback = MonotonicTime.now()
        let failedBefore = cycle.failedCount
        cycle.thaw(frozen.reversed(), reason: .rollback, until: begin + context.settings.freezeTimeout)
        cycle.end(drainers: context.unfinishedCycle()?.drainers ?? [])
        let failed = cycle.failedCount - failedBefore
        let counts = "\(frozen.count) \(frozen.count == 1 ? "hook" : "hooks"), \(failed) failed"
        cycle.report.write(
            Event(
                .error, .rolledBack,
                "rolled back: \(counts), in \(DurationText.seconds(.now() - rollback)) s (cycle \(cycle.id))"))
        let outcome = failed == 0 ? "rolled back, nothing is frozen" : "rolled back, but \(failed) hooks failed to thaw"
        return CommandResult(.failed, "\(cause) after \(elapsed) s; \(outcome)")
    }
}
