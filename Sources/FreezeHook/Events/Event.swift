// SPDX-License-Identifier: Apache-2.0

import FreezeHookBase
import Glibc

/// One thing that happened, as the log and the journal tell it.
package struct Event: Sendable {
    /// How much it matters, as in syslog(3).
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

    /// What a hook does, for whoever looks on.
    package struct HookStep: Sendable {
        /// What a hook can do.
        package enum Kind: Sendable {
            case started
            /// A line of its output, cleaned.
            case printed(String)
            case succeeded(in: Duration)
            /// It had nothing to do here.
            case skipped
            case failed
        }

        /// The hook's name, cleaned.
        package var hook: String
        /// The word that it was called with.
        package var action: HookAction
        /// What it does.
        package var kind: Kind
    }

    /// When it happened.
    package var time = WallTime.now()
    /// How much it matters.
    package var priority: Priority
    /// The kind of message, by which the catalog explains it; nil when it needs none.
    package var messageID: MessageID?
    /// One line, cleaned.
    package var text: String
    /// The fields of its journal entry beside the message.
    package var fields: [(field: Field, value: String)] = []
    /// nil for what is no hook's doing, and in what waited in the run directory: nobody looks on then.
    package var step: HookStep?

    /// What happens now. The text is one line, cleaned.
    package init(_ priority: Priority, _ messageID: MessageID?, _ text: String, _ fields: [(Field, String)] = []) {
        self.priority = priority
        self.messageID = messageID
        self.text = text
        self.fields = fields.map { (field: $0.0, value: $0.1) }
    }
}

/// Somebody who looks on while a cycle runs.
package protocol CycleObserver: AnyObject {
    /// Takes the events in their order.
    func write(_ events: [Event])

    /// Called again and again, some ten times a second, while something is waited for.
    func tick()
}
