/// The exit statuses of the program.
package enum ExitStatus: Int32, Sendable {
    /// Done, by the policy in force.
    case done = 0
    /// A hook failed and the policy says abort; everything was thawed.
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
package struct CommandResult: Equatable, Sendable {
    /// The exit status.
    package var status: ExitStatus
    /// The line for standard error; nil when there is nothing to say.
    package var message: String?

    /// An ending with this status.
    package init(_ status: ExitStatus, _ message: String? = nil) {
        self.status = status
        self.message = message
    }
}
