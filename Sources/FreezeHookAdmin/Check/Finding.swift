// SPDX-License-Identifier: Apache-2.0

/// Something that stands in the way of a consistent backup.
package struct Finding: Encodable, Equatable, Sendable {
    /// How much it matters.
    package enum Severity: String, Encodable, CaseIterable, Sendable {
        /// A backup would be inconsistent, or would hang the machine.
        case error
        /// It may go wrong.
        case warning
        /// Worth knowing.
        case note
    }

    /// How bad it is.
    package var severity: Severity
    /// What it is about: a process, a path, a recipe.
    package var subject: String
    /// What is wrong and what comes of it, in one sentence.
    package var reason: String
    /// The command that mends it, or what has to be done.
    package var repair: String?

    /// A finding of severity `error`.
    package static func error(_ subject: String, _ reason: String, repair: String? = nil) -> Finding {
        Finding(severity: .error, subject: subject, reason: reason, repair: repair)
    }

    /// A finding of severity `warning`.
    package static func warning(_ subject: String, _ reason: String, repair: String? = nil) -> Finding {
        Finding(severity: .warning, subject: subject, reason: reason, repair: repair)
    }

    /// A finding of severity `note`.
    package static func note(_ subject: String, _ reason: String, repair: String? = nil) -> Finding {
        Finding(severity: .note, subject: subject, reason: reason, repair: repair)
    }
}
