// SPDX-License-Identifier: Apache-2.0

import FreezeHook
import FreezeHookBase
import FreezeHookRecipes

/// The check that the limits fit those of the host, and each other.
enum LimitsCheck {
    static func findings(on machine: Machine) -> [Finding] {
        let settings = machine.settings
        let path = SafeText.clean(machine.locations.configuration)
        func set(_ setting: String) -> String { "\(setting) in [general] of \(path)" }
        var findings: [Finding] = []
        let host = HostLimits(of: machine.tree)
        if settings.freezeTimeout >= host.freeze {
            findings.append(
                .warning(
                    "freeze-timeout",
                    "a freeze may take \(DurationText.format(settings.freezeTimeout)), and \(host.name) gives up after "
                        + "\(DurationText.format(host.freeze)): what it no longer waits for stays frozen until the guard ends it",
                    repair: set("freeze-timeout = \(DurationText.format(host.freeze * 5 / 6))")))
        }
        if settings.thawTimeout >= host.thaw {
            findings.append(
                .warning(
                    "thaw-timeout",
                    "a thaw may wait and try hooks again for \(DurationText.format(settings.thawTimeout)), beside what its hooks take, "
                        + "and \(host.name) gives up after \(DurationText.format(host.thaw))",
                    repair: set("thaw-timeout = \(DurationText.format(host.thaw * 2 / 3))")))
        }
        if settings.holdLimit == .zero {
            findings.append(
                .warning(
                    "hold-limit", "there is no guard: applications stay held for ever when a thaw is lost",
                    repair: set("hold-limit = 5min")))
        } else if let longest = longestHold(machine), longest * 5 > settings.holdLimit * 4 {
            findings.append(
                .warning(
                    "hold-limit",
                    "the guard ends a window after \(DurationText.format(settings.holdLimit)), and backups here have held "
                        + "applications for \(DurationText.format(longest))",
                    repair: set(
                        "hold-limit = \(DurationText.format(.seconds(Int64((longest * 2).inSeconds.rounded(.up)))))")))
        }
        findings += machine.recipes.compactMap { pause(of: $0, machine) }
        let slow = machine.hooks.filter { $0.disposition == .runs && $0.hook.timeout > settings.freezeTimeout }
        for entry in slow {
            findings.append(
                .note(
                    entry.hook.name,
                    "\(entry.hook.name) may take \(DurationText.format(entry.hook.timeout)), and the whole freeze has "
                        + "\(DurationText.format(settings.freezeTimeout)): it is ended earlier than it expects"))
        }
        return findings
    }

    /// The finding on a pause of writers that the application, such as Redis, would end before the guard does.
    private static func pause(of recipe: Recipe, _ machine: Machine) -> Finding? {
        guard let limit = recipe.header.pauseLimit, !machine.links.links(to: recipe).isEmpty else { return nil }
        let file = RecipeConfiguration(of: recipe, beside: machine.locations.hookDirectory).path
        let configured = RecipeConfiguration.values(of: "pause", in: machine.tree.text(of: file) ?? "").compactMap {
            Int64($0)
        }
        let pause = configured.min().map { Duration.seconds($0) } ?? limit
        let settings = machine.settings
        let needed = settings.freezeTimeout + settings.holdLimit + settings.thawTimeout
        if pause >= needed { return nil }
        return .error(
            recipe.name,
            "\(recipe.name.prefix(1).uppercased() + recipe.name.dropFirst()) lets its writers go on after \(DurationText.format(pause)), and freeze-timeout, "
                + "hold-limit and thaw-timeout together are \(DurationText.format(needed))",
            repair: "pause = \(Int64(needed.inSeconds.rounded(.up))) in \(SafeText.clean(file))")
    }

    /// The longest hold of a cycle that was no rehearsal, in whole milliseconds; nil when none is known.
    private static func longestHold(_ machine: Machine) -> Duration? {
        let longest = machine.pastCycles.filter { !$0.isRehearsal }.compactMap(\.holdTime).max()
        return longest.map { .milliseconds($0.nanoseconds / 1_000_000) }
    }
}
