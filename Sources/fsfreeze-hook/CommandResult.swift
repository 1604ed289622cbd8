// SPDX-License-Identifier: Apache-2.0

/// The end of a command: its exit status, and the line for standard error that explains the status.
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
