// SPDX-License-Identifier: Apache-2.0

/// Why an entry of the hook directory is no hook. All but a removed file is an administrator's choice; what the kernel
/// does not show is refused.
package enum SkipReason: Equatable, Sendable, CustomStringConvertible {
    /// `run = no` in the configuration.
    case leftOut
    case danglingLink
    /// A link to /dev/null.
    case masked
    case empty
    case directory
    case notAFile
    case notExecutable
    /// The file was removed after the directory was read.
    case gone

    /// The reason as `list` shows it.
    package var description: String {
        switch self {
        case .leftOut: "left out by the configuration: run = no"
        case .danglingLink: "dangling link"
        case .masked: "masked by a link to /dev/null"
        case .empty: "masked: the file is empty"
        case .directory: "directory"
        case .notAFile: "neither a file nor a link to one"
        case .notExecutable: "not executable: chmod +x to enable it"
        case .gone: "removed meanwhile"
        }
    }
}
