// SPDX-License-Identifier: Apache-2.0

import FreezeHookBase
import SystemPackage

/// An executable of the hook directory, with the limits in force for it.
package struct Hook: Equatable, Sendable {
    /// The path, in the hook directory.
    package var path: FilePath
    /// The header in the hook's first lines.
    package var header: HookHeader
    /// The time limit of each call.
    package var timeout: Duration
    /// Whether a failure of the hook ends the freeze, whatever the policy is.
    package var isRequired: Bool
    /// Whether the hook is called with `prepare` too.
    package var prepares: Bool
    /// The hook's promise for an image; nil when nothing declares one.
    package var guarantee: Guarantee?
    private var freezeWord: String?
    /// The argument of a thaw, where the configuration gives one.
    package var thawWord: String?
    /// Whether a thaw that fails has thawed nothing, and is called again.
    package var retriesThaw: Bool

    /// The hook at `path`. The configuration comes before the header, the header before the general settings.
    package init(path: FilePath, header: HookHeader, settings: Settings) {
        self.path = path
        self.header = header
        let configured = settings.hook(named: path.name)
        timeout = configured.timeout ?? header.timeout ?? settings.hookTimeout
        isRequired = configured.required ?? false
        prepares = configured.prepare ?? header.prepare ?? false
        guarantee = configured.guarantee ?? header.guarantee
        freezeWord = configured.freezeWord
        thawWord = configured.thawWord
        retriesThaw = configured.retryThaw ?? header.retryThaw ?? false
    }

    /// The argument with which the hook is called.
    package func word(for action: HookAction) -> String {
        let configured: String? =
            switch action {
            case .freeze: freezeWord
            case .thaw: thawWord
            case .prepare: nil
            }
        return configured ?? action.rawValue
    }

    /// The file name, cleaned, as the log shows it.
    package var name: String { path.name }
}
