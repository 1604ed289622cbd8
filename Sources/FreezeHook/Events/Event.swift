// SPDX-License-Identifier: Apache-2.0

import FreezeHookBase
import Glibc

/// One event for the log and the journal.
package struct Event: Sendable {
    /// The priority of an event, as in syslog(3).
    package enum Priority: Int32, Sendable {
        case error = 3
        case warning = 4
        case notice = 5
        case info = 6
    }

    /// A field of the journal entry beside its message.
    package enum Field: String, Sendable {
        case cycle = "FSFREEZE_CYCLE"
        case hook = "FSFREEZE_HOOK"
        case action = "FSFREEZE_ACTION"
        case status = "FSFREEZE_STATUS"
        case duration = "FSFREEZE_DURATION_USEC"
        case verdict = "FSFREEZE_VERDICT"
    }

    /// A step of a hook, for an observer.
    package struct HookStep: Sendable {
        /// The kinds of steps.
        package enum Kind: Sendable {
            case started
            /// A line of the hook's output, cleaned.
            case printed(String)
            case succeeded(in: Duration)
            /// The hook had nothing to do here.
            case skipped
            case failed
        }

        /// The hook's name, cleaned.
        package var hook: String
        /// The action that the hook was called with.
        package var action: HookAction
        /// The kind of step.
        package var kind: Kind
    }

    /// The moment of the event.
    package var time = WallTime.now()
    /// The priority.
    package var priority: Priority
    /// The kind of message, which the journal's catalog explains; nil for none.
    package var messageID: MessageID?
    /// The text: one line, cleaned.
    package var text: String
    /// The fields of the journal entry beside its message.
    package var fields: [(field: Field, value: String)] = []
    /// The hook's step; nil for any other event, and for a deferred one, which comes too late for an observer.
    package var step: HookStep?

    /// An event of this moment. The text is one line, cleaned.
    package init(_ priority: Priority, _ messageID: MessageID?, _ text: String, _ fields: [(Field, String)] = []) {
        self.priority = priority
        self.messageID = messageID
        self.text = text
        self.fields = fields.map { (field: $0.0, value: $0.1) }
    }
}
