import FreezeHookBase

/// What Prometheus is told after each cycle.
struct Metrics {
    let counters: CycleCounters
    /// The last cycle that was no rehearsal.
    let last: CycleSummary?

    /// The metrics in the exposition format.
    var text: String {
        var metrics = MetricsText()
        addLastCycle(to: &metrics)
        addHooks(to: &metrics)
        addTotals(to: &metrics)
        return metrics.text
    }

    private static let verdicts = Guarantee.allCases.reversed().map(\.rawValue)

    private func addLastCycle(to metrics: inout MetricsText) {
        metrics.add(
            "fsfreeze_hook_last_cycle_timestamp_seconds", .gauge, "When the last cycle began, in Unix time.",
            last.map { Self.seconds($0.started) })
        metrics.add(
            "fsfreeze_hook_last_cycle_verdict", .gauge, "1 for the verdict on the last cycle, 0 for all others.",
            last.map { Self.states(of: $0.verdict) } ?? [])
        metrics.add(
            "fsfreeze_hook_last_cycle_phase_duration_seconds", .gauge, "How long each part of the last cycle took.",
            phases.compactMap { phase in phase.seconds.map { ([("phase", phase.name)], $0) } })
        metrics.add(
            "fsfreeze_hook_last_cycle_window_duration_seconds", .gauge,
            "How long the last cycle held the applications, from the first freeze hook to the last thaw hook.",
            last?.windowSeconds)
        metrics.add(
            "fsfreeze_hook_last_consistent_timestamp_seconds", .gauge,
            "When the last application-consistent cycle began, in Unix time; 0 if there was none.",
            time(of: Guarantee.applicationConsistent.rawValue))
        metrics.add(
            "fsfreeze_hook_last_verdict_timestamp_seconds", .gauge,
            "When the last cycle of this verdict began, in Unix time; 0 if there was none.",
            Self.verdicts.map { ([("verdict", $0)], time(of: $0)) })
    }

    private var phases: [(name: String, seconds: Double?)] {
        [
            ("prepare", last?.prepareSeconds), ("freeze", last?.freezeSeconds), ("hold", last?.holdSeconds),
            ("thaw", last?.thawSeconds),
        ]
    }

    private func addHooks(to metrics: inout MetricsText) {
        // One sample for each set of labels: a thaw that is repeated counts with its last run.
        var runs: [(labels: [(name: String, value: String)], failed: Bool, seconds: Double?)] = []
        func add(_ hook: String, _ action: String, failed: Bool, _ seconds: Double?) {
            let index = runs.firstIndex { $0.labels[0].value == hook && $0.labels[1].value == action }
            let run = ([(name: "hook", value: hook), (name: "action", value: action)], failed, seconds)
            if let index { runs[index] = run } else { runs.append(run) }
        }
        for run in last?.hooks ?? [] { add(run.name, run.action, failed: run.failed, run.seconds) }
        for refusal in last?.refusals ?? [] { add(refusal.name, refusal.action, failed: true, nil) }
        metrics.add(
            "fsfreeze_hook_last_cycle_hook_success", .gauge,
            "Whether the hook's call in the last cycle succeeded, or had nothing to do.",
            runs.map { ($0.labels, $0.failed ? 0 : 1) })
        metrics.add(
            "fsfreeze_hook_last_cycle_hook_duration_seconds", .gauge,
            "How long the hook's call in the last cycle took.",
            runs.compactMap { run in run.seconds.map { (run.labels, $0) } })
    }

    private func addTotals(to metrics: inout MetricsText) {
        metrics.add(
            "fsfreeze_hook_cycles_total", .counter, "Cycles that have ended, without rehearsals, by their verdict.",
            Self.verdicts.map { ([("verdict", $0)], Double(counters.cycles[$0] ?? 0)) })
        metrics.add(
            "fsfreeze_hook_expiries_total", .counter, "Windows that the guard ended because no thaw came.",
            Double(counters.expiries))
        metrics.add(
            "fsfreeze_hook_rollbacks_total", .counter, "Freezes that were rolled back and refused.",
            Double(counters.rollbacks))
        metrics.add(
            "fsfreeze_hook_rehearsals_total", .counter, "Rehearsals that have ended, by their verdict.",
            Self.verdicts.map { ([("verdict", $0)], Double(counters.rehearsals[$0] ?? 0)) })
        metrics.add(
            "fsfreeze_hook_last_rehearsal_timestamp_seconds", .gauge, "When the last rehearsal began, in Unix time.",
            counters.lastRehearsal.map { Self.seconds($0.started) })
        metrics.add(
            "fsfreeze_hook_last_rehearsal_verdict", .gauge,
            "1 for the verdict on the last rehearsal, 0 for all others.",
            counters.lastRehearsal.map { Self.states(of: $0.verdict) } ?? [])
    }

    private func time(of verdict: String) -> Double { counters.lastStarted[verdict].map(Self.seconds) ?? 0 }

    private static func states(of verdict: String) -> [MetricsText.Sample] {
        verdicts.map { ([("verdict", $0)], $0 == verdict ? 1 : 0) }
    }

    private static func seconds(_ time: String) -> Double { WallTime(rfc3339: time)?.seconds ?? 0 }
}
