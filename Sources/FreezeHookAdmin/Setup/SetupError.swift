// SPDX-License-Identifier: Apache-2.0

import FreezeHookBase
import SystemPackage

/// A set-up cannot be made or undone.
package enum SetupError: Error, CustomStringConvertible {
    case cannotChange(path: String, reason: Errno)
    case conflict(path: String)
    case cannotKeep(directory: FilePath, reason: Errno)
    case manifestUnreadable(directory: FilePath)

    package var description: String {
        switch self {
        case .cannotChange(let path, let reason):
            "\(SafeText.clean(path.utf8)) cannot be changed: \(reason); 'fsfreeze-hook setup --undo' takes back what was done before"
        case .conflict(let path):
            "\(SafeText.clean(path.utf8)) has changed in the meantime; call 'fsfreeze-hook setup' again"
        case .cannotKeep(let directory, let reason):
            "what is changed cannot be noted in \(SafeText.clean(directory)): \(reason); nothing was changed"
        case .manifestUnreadable(let directory):
            "\(SafeText.clean(directory))/\(SetupManifest.name), which tells what 'setup' has changed, cannot be read"
        }
    }
}
