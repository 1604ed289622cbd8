// SPDX-License-Identifier: Apache-2.0

/// The exit statuses of the program.
enum ExitStatus: Int32, Sendable {
    /// The command has done its work, by the policy in force.
    case done = 0
    /// The command has failed. A failed freeze has thawed everything again.
    case failed = 1
    /// The cycle or image is not application-consistent, or something needs attention.
    case needsAttention = 2
    case usage = 64
    case configurationInvalid = 65
    case cannotUseRunDirectory = 73
    /// Another cycle, or a filesystem that is frozen already, is in the way.
    case busy = 75
}
