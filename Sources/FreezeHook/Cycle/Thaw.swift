import Glibc
import SystemPackage

/// The second half of a cycle: what was frozen is called with `thaw`. It always thaws, and may come any number of times.
package struct Thaw {
    private let context: CycleContext
    private let begin = MonotonicTime.now()

    package init(in context: CycleContext) {
        self.context = context
    }

    /// Thaws what the record names; without a record, every hook of the directory.
    package func run() -> CommandResult {
        let deadline = begin + context.settings.thawTimeout
        if let runDirectory = context.runDirectory, case .busy = runDirectory.lock(within: context.settings.thawTimeout)
        {
            return CommandResult(.busy, "another freeze or thaw is still running; try again when it has ended")
        }
        let record = context.unfinishedCycle()
        let cycle = CycleRun(id: record?.id ?? CycleContext.newCycleID(), isNew: false, in: context)
        cycle.reportFaultsOfTheSystem()
        thaw(record, reason: .thaw, in: cycle, until: deadline)
        let name = record.map { "cycle \($0.id)" } ?? "no cycle"
        cycle.report.write(
            Event(cycle.failedCount == 0 ? .notice : .warning, .thawed, "thawed: \(cycle.summary) (\(name))"))
        return result(of: cycle)
    }

    /// Thaws a cycle whose own thaw never came.
    func recover(_ record: CycleRecord, until deadline: MonotonicTime) {
        let cycle = CycleRun(id: record.id, isNew: false, in: context)
        cycle.report.write(
            Event(
                .warning, .cycleRecovered, "unfinished cycle \(record.id): its thaw never came; thawing what it froze"))
        thaw(record, reason: .recover, in: cycle, until: deadline)
        cycle.report.write(Event(.warning, .thawed, "thawed: \(cycle.summary) (unfinished cycle \(record.id))"))
    }

    private func thaw(_ record: CycleRecord?, reason: RunReason, in cycle: CycleRun, until deadline: MonotonicTime) {
        if let record {
            for path in Stragglers(killGrace: context.settings.killGrace).end(of: record) {
                let text = "\(SafeText.clean(path)) was still running although its program was killed: ended"
                cycle.report.write(Event(.warning, .cycleRecovered, text))
            }
        }
        let hooks = hooks(of: record)
        cycle.thaw(context.settings.thawOrder == .reverse ? hooks.reversed() : hooks, reason: reason, until: deadline)
        cycle.end(drainers: record?.drainers ?? [])
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
        return record.hooksToThaw.map(directory.entry)
    }

    private func result(of cycle: CycleRun) -> CommandResult {
        guard cycle.failedCount > 0, context.settings.onFailure == .abort else { return CommandResult(.done) }
        let message = "\(cycle.failedCount) of \(cycle.count) hooks failed to thaw; the log says which"
        // Hosts discard a good snapshot after a thaw that fails.
        return CommandResult(context.settings.thawFailure == .report ? .failed : .done, message)
    }
}
