// SPDX-License-Identifier: Apache-2.0

import FreezeHookBase
import SystemPackage

/// An executable of the hook directory, with the limits in force for it.
package struct Hook: Equatable, Sendable {
    /// Its file, in the hook directory.
    package var path: FilePath
    /// What its first lines say of it.
    package var header: HookHeader
    /// How long each of its calls may take.
    package var timeout: Duration
    /// A required hook that fails ends the freeze, whatever the policy is.
    package var isRequired: Bool
    /// Whether it is called with `prepare` too.
    package var prepares: Bool
    /// What it promises, if it says.
    package var guarantee: Guarantee?

    /// The hook at `path`: the configuration comes before its header, and that before the general settings.
    package init(path: FilePath, header: HookHeader, settings: Settings) {
        self.path = path
        self.header = header
        let configured = settings.hook(named: path.name)
        timeout = configured.timeout ?? header.timeout ?? settings.hookTimeout
        isRequired = configured.required ?? false
        prepares = configured.prepare ?? header.prepare ?? false
        guarantee = configured.guarantee ?? header.guarantee
    }

    /// The file name, cleaned, as the log shows it.
    package var name: String { path.name }
}
