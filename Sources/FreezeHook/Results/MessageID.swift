/// The journal's MESSAGE_ID of each kind of entry; `systemd/fsfreeze-hook.catalog` explains every one of them.
package enum MessageID: String, CaseIterable, Sendable {
    case hookStarted = "5d1f0a3c2b7e4f0e9a6c41d08e7b1a01"
    case hookSucceeded = "5d1f0a3c2b7e4f0e9a6c41d08e7b1a02"
    case hookSkipped = "5d1f0a3c2b7e4f0e9a6c41d08e7b1a03"
    case hookFailed = "5d1f0a3c2b7e4f0e9a6c41d08e7b1a04"
    case hookRefused = "5d1f0a3c2b7e4f0e9a6c41d08e7b1a05"
    case frozen = "5d1f0a3c2b7e4f0e9a6c41d08e7b1a06"
    case rolledBack = "5d1f0a3c2b7e4f0e9a6c41d08e7b1a07"
    case thawed = "5d1f0a3c2b7e4f0e9a6c41d08e7b1a08"
    case cycleRecovered = "5d1f0a3c2b7e4f0e9a6c41d08e7b1a09"
    case configurationInvalid = "5d1f0a3c2b7e4f0e9a6c41d08e7b1a0a"
    case logUnavailable = "5d1f0a3c2b7e4f0e9a6c41d08e7b1a0b"
    case stateUnavailable = "5d1f0a3c2b7e4f0e9a6c41d08e7b1a0c"
    case interrupted = "5d1f0a3c2b7e4f0e9a6c41d08e7b1a0d"
    case budgetExhausted = "5d1f0a3c2b7e4f0e9a6c41d08e7b1a0e"
}
