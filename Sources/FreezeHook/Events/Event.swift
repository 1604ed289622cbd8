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

    package var time = WallTime.now()
    package var priority: Priority
    package var messageID: MessageID?
    /// One line, cleaned.
    package var text: String
    package var fields: [(field: Field, value: String)] = []

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
