// SPDX-License-Identifier: Apache-2.0

import FreezeHookBase

/// The metrics for Prometheus after a cycle.
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

    private static let verdicts = Array(Guarantee.allCases.reversed())

    private func addLastCycle(to metrics: inout MetricsText) {
        metrics.add(
            "fsfreeze_hook_last_cycle_timestamp_seconds", .gauge, "When the last cycle began, in Unix time.",
            last?.started.seconds)
        metrics.add(
            "fsfreeze_hook_last_cycle_verdict", .gauge, "1 for the verdict on the last cycle, 0 for all others.",
            last.map { Self.states(of: $0.verdict) } ?? [])
        metrics.add(
            "fsfreeze_hook_last_cycle_undeclared_hooks", .gauge,
            "Hooks that succeeded in the last cycle and declare no guarantee: the verdict rests on their exit status.",
            last?.undeclared.map { Double($0.count) })
        metrics.add(
            "fsfreeze_hook_last_cycle_phase_duration_seconds", .gauge, "How long each part of the last cycle took.",
            phases.compactMap { phase in phase.time.map { ([("phase", phase.name)], $0.inSeconds) } })
        metrics.add(
            "fsfreeze_hook_last_cycle_window_duration_seconds", .gauge,
            "How long the last cycle held the applications, from the first freeze hook to the last thaw hook.",
            last?.windowTime?.inSeconds)
        metrics.add(
            "fsfreeze_hook_last_consistent_timestamp_seconds", .gauge,
            "When the last application-consistent cycle began, in Unix time; 0 if there was none.",
            time(of: .applicationConsistent))
        metrics.add(
            "fsfreeze_hook_last_verdict_timestamp_seconds", .gauge,
            "When the last cycle of this verdict began, in Unix time; 0 if there was none.",
            Self.verdicts.map { ([("verdict", $0.rawValue)], time(of: $0)) })
    }

    private var phases: [(name: String, time: Duration?)] {
        [
            ("prepare", last?.prepareTime), ("freeze", last?.freezeTime), ("hold", last?.holdTime),
            ("thaw", last?.thawTime),
        ]
    }

    private func addHooks(to metrics: inout MetricsText) {
        // One sample for each set of labels: a repeated thaw counts with its last run.
        var runs: [(labels: [(name: String, value: String)], failed: Bool, time: Duration?)] = []
        func add(_ hook: String, _ action: Word<HookAction>, failed: Bool, _ time: Duration?) {
            let index = runs.firstIndex { $0.labels[0].value == hook && $0.labels[1].value == action.text }
            let run = ([(name: "hook", value: hook), (name: "action", value: action.text)], failed, time)
            if let index { runs[index] = run } else { runs.append(run) }
        }
        for run in last?.hooks ?? [] { add(run.name, run.action, failed: run.failed, run.duration) }
        for refusal in last?.refusals ?? [] { add(refusal.name, refusal.action, failed: true, nil) }
        metrics.add(
            "fsfreeze_hook_last_cycle_hook_success", .gauge,
            "Whether the hook's call in the last cycle succeeded, or had nothing to do.",
            runs.map { ($0.labels, $0.failed ? 0 : 1) })
        metrics.add(
            "fsfreeze_hook_last_cycle_hook_duration_seconds", .gauge,
            "How long the hook's call in the last cycle took.",
            runs.compactMap { run in run.time.map { (run.labels, $0.inSeconds) } })
    }

    private func addTotals(to metrics: inout MetricsText) {
        metrics.add(
            "fsfreeze_hook_cycles_total", .counter, "Cycles that have ended, without rehearsals, by their verdict.",
            Self.verdicts.map { ([("verdict", $0.rawValue)], Double(counters.cycles[Word($0)] ?? 0)) })
        metrics.add(
            "fsfreeze_hook_expiries_total", .counter, "Windows that the guard ended because no thaw came.",
            Double(counters.expiries))
        metrics.add(
            "fsfreeze_hook_rollbacks_total", .counter, "Freezes that were rolled back and refused.",
            Double(counters.rollbacks))
        metrics.add(
            "fsfreeze_hook_rehearsals_total", .counter, "Rehearsals that have ended, by their verdict.",
            Self.verdicts.map { ([("verdict", $0.rawValue)], Double(counters.rehearsals[Word($0)] ?? 0)) })
        metrics.add(
            "fsfreeze_hook_last_rehearsal_timestamp_seconds", .gauge, "When the last rehearsal began, in Unix time.",
            counters.lastRehearsal?.started.seconds)
        metrics.add(
            "fsfreeze_hook_last_rehearsal_verdict", .gauge,
            "1 for the verdict on the last rehearsal, 0 for all others.",
            counters.lastRehearsal.map { Self.states(of: $0.verdict) } ?? [])
    }

    private func time(of verdict: Guarantee) -> Double { counters.lastStarted[Word(verdict)]?.seconds ?? 0 }

    private static func states(of verdict: Word<Guarantee>) -> [MetricsText.Sample] {
        verdicts.map { ([("verdict", $0.rawValue)], verdict == $0 ? 1 : 0) }
    }
}
