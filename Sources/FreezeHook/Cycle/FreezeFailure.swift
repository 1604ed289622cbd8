// SPDX-License-Identifier: Apache-2.0

import FreezeHookBase

/// Why a freeze gives up when it has begun.
package enum FreezeFailure: Error, Equatable, CustomStringConvertible {
    /// This program was told to stop.
    case interrupted(signal: Int32)
    /// Somebody else could have written the hook.
    case hookRefused(hook: String, reason: String)
    /// The freeze has used up its time, the limit, before the hook.
    case outOfTime(hook: String, limit: Duration)
    /// The hook ended with a status that is a failure; the explanation says what the number does not.
    case hookFailed(hook: String, HookAction, status: Int32, explanation: String?)

    /// The hook's name; nil for what is no hook's fault.
    var hook: String? {
        switch self {
        case .interrupted: nil
        case .hookRefused(let hook, _), .outOfTime(let hook, _), .hookFailed(let hook, _, _, _): hook
        }
    }

    /// What happened, without the hook's name.
    var reason: String {
        switch self {
        case .interrupted(let signal): "interrupted by \(signalName(signal))"
        case .hookRefused(_, let reason): "refused: \(reason)"
        case .outOfTime(_, let limit): "the time for the freeze (\(DurationText.format(limit))) is used up"
        case .hookFailed(_, let action, let status, let explanation):
            (action == .freeze ? "" : "\(action.rawValue) ") + "finished with status=\(status)"
                + (explanation.map { " (\($0))" } ?? "")
        }
    }

    /// The journal's MESSAGE_ID of the entry that tells of it.
    var messageID: MessageID {
        switch self {
        case .interrupted: .interrupted
        case .hookRefused: .hookRefused
        case .outOfTime: .budgetExhausted
        case .hookFailed: .hookFailed
        }
    }

    package var description: String { (hook.map { "\($0): " } ?? "") + reason }
}
