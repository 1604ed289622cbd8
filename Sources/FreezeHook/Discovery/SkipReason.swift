// SPDX-License-Identifier: Apache-2.0

import SystemPackage

/// Why an entry of the hook directory is no hook.
package enum SkipReason: Equatable, Sendable, CustomStringConvertible {
    case danglingLink
    /// A link to /dev/null.
    case masked
    case empty
    case directory
    case notAFile
    case notExecutable
    case unreadable(Errno)

    /// The reason as `list` shows it.
    package var description: String {
        switch self {
        case .danglingLink: "dangling link"
        case .masked: "masked by a link to /dev/null"
        case .empty: "masked: the file is empty"
        case .directory: "directory"
        case .notAFile: "neither a file nor a link to one"
        case .notExecutable: "not executable: chmod +x to enable it"
        case .unreadable(let reason): "\(reason)"
        }
    }
}
