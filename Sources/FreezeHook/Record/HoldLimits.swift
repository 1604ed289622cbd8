// SPDX-License-Identifier: Apache-2.0

import FreezeHookBase

/// The limits of sessions that hooks hold: those of the freeze that begins the cycle. `hold` does not know the
/// configuration of that freeze; the record has them.
package struct HoldLimits: Equatable, Sendable {
    /// The longest time for which a session may be held; nil for no limit.
    package var longest: Duration?
    /// The time between SIGTERM and SIGKILL.
    package var killGrace: Duration

    /// Limits of a record.
    init(longest: Duration?, killGrace: Duration) {
        self.longest = longest
        self.killGrace = killGrace
    }

    /// The limits that follow from the settings; without a guard nothing but the thaw ends a session.
    package init(_ settings: Settings) {
        longest =
            settings.holdLimit == .zero ? nil : settings.freezeTimeout + settings.holdLimit + settings.thawTimeout
        killGrace = settings.killGrace
    }

    /// The limits for a session that is opened now: those of the open cycle; those of the configuration when no cycle is
    /// open, or one of an older version.
    package static func inForce(in locations: Locations) -> HoldLimits {
        if let directory = RunDirectory.existing(locations.runDirectory),
            let record = CycleRecorder.read(in: directory), record.isUnfinished, let limits = record.holdLimits
        {
            return limits
        }
        return HoldLimits((try? SettingsFile.read(locations.configuration)) ?? Settings())
    }
}
