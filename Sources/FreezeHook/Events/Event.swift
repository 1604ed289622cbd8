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

    /// What happens now. The text is one line, cleaned.
    package init(_ priority: Priority, _ messageID: MessageID?, _ text: String, _ fields: [(Field, String)] = []) {
        self.priority = priority
        self.messageID = messageID
        self.text = text
        self.fields = fields.map { (field: $0.0, value: $0.1) }
    }
}

/// Somebody who looks on while a cycle runs.
package protocol CycleObserver: EventSink {
    /// Called again and again, some ten times a second, while something is waited for.
    func tick()
}

/// A place that events are written to. It never fails: what cannot be written is lost there alone.
package protocol EventSink: AnyObject {
    /// Writes the events in their order.
    func write(_ events: [Event])
}
