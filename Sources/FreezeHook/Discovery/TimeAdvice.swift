// SPDX-License-Identifier: Apache-2.0

import FreezeHookBase

/// The settings that give a hook more time, in words: for the log line of one that was ended at its limit, and for
/// `check`.
package struct TimeAdvice {
    private let hook: Hook
    private let settings: Settings

    /// The advice for a hook under the settings in force.
    package init(of hook: Hook, under settings: Settings) {
        self.hook = hook
        self.settings = settings
    }

    /// The settings for a call with this action.
    package func words(for action: HookAction) -> String {
        let own = "timeout = in [hook \(Settings.shortName(of: hook.name))]"
        return switch action {
        // A thaw hook has its own limit, whatever the others take.
        case .thaw: "\(own) gives it more time"
        case .prepare: "\(own) and freeze-timeout = give it more time"
        case .freeze where hook.prepares: "\(own) and freeze-timeout = give it more time"
        case .freeze:
            "\(own) and freeze-timeout = give it more time; with prepare = yes it can do before the freeze what needs no lock"
        }
    }
}
