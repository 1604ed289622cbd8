// SPDX-License-Identifier: Apache-2.0

/// Something that stands in the way of a consistent backup.
package struct Finding: Encodable, Equatable, Sendable {
    /// The weight of a finding.
    package enum Severity: String, Encodable, CaseIterable, Sendable {
        /// A backup would be inconsistent, or would hang the machine.
        case error
        /// A backup may go wrong.
        case warning
        /// No backup goes wrong; an administrator may want to know.
        case note
    }

    /// The weight of the finding.
    package var severity: Severity
    /// The subject: a process, a path, a recipe.
    package var subject: String
    /// The fault and its consequence, in one sentence.
    package var reason: String
    /// The command that mends the fault, or an instruction; nil when there is none.
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
