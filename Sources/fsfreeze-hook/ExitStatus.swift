// SPDX-License-Identifier: Apache-2.0

/// The exit statuses of the program.
enum ExitStatus: Int32, Sendable {
    /// Done, by the policy in force.
    case done = 0
    /// It could not be done. After a freeze everything was thawed again.
    case failed = 1
    /// Not application-consistent, or something needs attention.
    case needsAttention = 2
    case usage = 64
    case configurationInvalid = 65
    case cannotUseRunDirectory = 73
    /// Another cycle holds the lock.
    case busy = 75
}

/// How a command ends: its exit status, and the one line for standard error that explains it.
struct CommandResult: Equatable, Sendable {
    /// The exit status.
    var status: ExitStatus
    /// The line for standard error; nil when there is nothing to say.
    var message: String?

    /// An ending with this status.
    init(_ status: ExitStatus, _ message: String? = nil) {
        self.status = status
        self.message = message
    }
}
