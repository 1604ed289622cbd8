// SPDX-License-Identifier: Apache-2.0

import FreezeHook
import FreezeHookBase
import SystemPackage

/// The check that no hook was ended at its time limit when it was last called.
enum CutOffHooks {
    static func findings(on machine: Machine) -> [Finding] {
        let cycles = machine.pastCycles
        let hooks = machine.hooks.filter { $0.disposition == .runs }.map(\.hook)
        return hooks.compactMap { hook in
            // The last cycle that called it: what was mended since is told no more.
            guard let cycle = cycles.last(where: { $0.hooks.contains { $0.name == hook.name } }),
                let run = cycle.hooks.last(where: { $0.name == hook.name && $0.timedOut })
            else { return nil }
            return finding(on: hook, run, in: cycle, machine)
        }
    }

    private static func finding(
        on hook: Hook, _ run: CycleSummary.Run, in cycle: CycleSummary, _ machine: Machine
    ) -> Finding {
        let time = run.duration.map { " after \(DurationText.brief($0.inSeconds))" } ?? ""
        let reason =
            "\(hook.name) was ended at a time limit\(time) when it was called with \(run.action.text) at "
            + "\(cycle.started.text): what it was doing was cut off"
        let path = SafeText.clean(machine.locations.configuration)
        let advice = TimeAdvice(of: hook, under: machine.settings)
        return .warning(hook.name, reason, repair: "in \(path): \(advice.words(for: run.action.value ?? .freeze))")
    }
}
