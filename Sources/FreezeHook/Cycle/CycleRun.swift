import SystemPackage

/// Runs the hooks of one cycle, each recorded before it starts and told when it has ended.
final class CycleRun {
    let id: String
    let report: Report
    private let context: CycleContext
    private let record: CycleRecordFile?
    private let runner: HookRunner
    /// Hooks that counted: those with nothing to do here do not.
    private(set) var count = 0
    private(set) var failedCount = 0
    let begin = MonotonicTime.now()

    // Of a thaw hook's time when its phase has none left: a lock that is not released is an outage.
    private static let leastThawLimit = Duration.seconds(1)

    /// A run in the cycle `id`; `isNew` begins its record, otherwise the record is gone on with.
    init(id: String, isNew: Bool, in context: CycleContext) {
        self.id = id
        self.context = context
        let report = Report(settings: context.settings, locations: context.locations, cycle: id)
        self.report = report
        let record = context.runDirectory.map { CycleRecordFile(in: $0, isNew: isNew) }
        self.record = record
        if isNew { record?.append(.cycle(id: id, bootID: CycleContext.bootID())) }
        let leftovers = LeftoverOutput(runDirectory: context.runDirectory, cycle: id) {
            record?.append(.drainer(socket: $0))
        }
        runner = HookRunner(
            signals: context.signals,
            environment: HookEnvironment(cycle: id, runDirectory: context.locations.runDirectory),
            killGrace: context.settings.killGrace, leftovers: leftovers)
    }

    /// Tells what is wrong with the configuration and the run directory.
    func reportFaultsOfTheSystem() {
        if let error = context.configurationError {
            report.write(Event(.warning, .configurationInvalid, "\(error); the defaults are in force"))
        }
        if let error = context.runDirectoryError {
            report.write(
                Event(.warning, .stateUnavailable, "\(error); the hooks run, but a lost thaw cannot be recovered"))
        } else if let failure = record?.failure {
            report.write(
                Event(
                    .warning, .stateUnavailable,
                    "the cycle cannot be recorded in \(SafeText.clean(context.locations.runDirectory)): \(failure); "
                        + "the hooks run, but a lost thaw cannot be recovered"))
        }
    }

    /// Whether a request to stop has come.
    var stopRequest: Int32? {
        _ = context.signals.take()
        return context.signals.stopRequest
    }

    /// Runs one hook for the freeze, at most until the deadline.
    func freeze(_ hook: Hook, until deadline: MonotonicTime) -> HookOutcome {
        run(
            HookRunner.Request(
                hook: hook, action: .freeze, reason: .freeze, limit: min(hook.timeout, deadline - .now()),
                stopsOnRequest: true))
    }

    /// Counts a hook that must not be run as a failed one.
    func refuse(_ hook: Hook, _ action: HookAction, _ reason: String) {
        count += 1
        failedCount += 1
        report.write(HookEvents.refused(hook, action, reason))
    }

    /// Thaws the hooks in the given order; all of them, whatever fails and however late it is.
    func thaw(_ hooks: [DirectoryEntry], reason: RunReason, until deadline: MonotonicTime) {
        for entry in hooks {
            if case .refused(let fault) = entry.disposition {
                refuse(entry.hook, .thaw, fault)
                continue
            }
            let limit = min(entry.hook.timeout, max(deadline - .now(), Self.leastThawLimit))
            _ = run(
                HookRunner.Request(hook: entry.hook, action: .thaw, reason: reason, limit: limit, stopsOnRequest: false)
            )
        }
    }

    /// Notes that all freeze hooks have run.
    func markFrozen() {
        record?.append(.frozen)
    }

    /// Fetches what hooks' leftovers said and removes the record: the cycle has ended.
    func end(drainers: [String]) {
        if let runDirectory = context.runDirectory {
            for socket in drainers {
                report.write((Drainer.fetch(from: socket, in: runDirectory) ?? []).map(HookEvents.leftover))
            }
        }
        record?.remove()
    }

    private func run(_ request: HookRunner.Request) -> HookOutcome {
        let (hook, action) = (request.hook, request.action)
        record?.append(.start(action: action, reason: request.reason, path: hook.path))
        report.write(HookEvents.started(hook, action))
        let outcome = runner.run(request) { processes in
            record?.append(.process(pid: processes.main, startTime: processes.startTime))
        } emit: { [report] lines in
            report.write(HookEvents.output(lines, of: hook, action))
        }
        report.write(HookEvents.finished(hook, action, outcome))
        record?.append(.end(status: outcome.status))
        if !outcome.wasSkipped { count += 1 }
        if outcome.failed { failedCount += 1 }
        return outcome
    }
}

extension CycleRun {
    /// `3 hooks, 0 failed, in 0.210 s`.
    var summary: String {
        "\(count) \(count == 1 ? "hook" : "hooks"), \(failedCount) failed, in \(DurationText.seconds(.now() - begin)) s"
    }
}
