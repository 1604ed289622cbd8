// SPDX-License-Identifier: Apache-2.0

import FreezeHookBase
import SystemPackage

/// Why a freeze that has begun gives up.
package enum FreezeFailure: Error, Equatable, CustomStringConvertible {
    /// A signal asked this program to stop.
    case interrupted(signal: Int32)
    /// The hook directory is there and cannot be listed.
    case directoryUnreadable(FilePath, reason: Errno)
    /// Another user could have written the hook, or the hook cannot be looked at.
    case hookRefused(hook: String, reason: String)
    /// The time limit of the freeze had passed before the hook's turn.
    case outOfTime(hook: String, limit: Duration)
    /// The freeze has taken longer than its limit: the host may no longer wait.
    case tooLate(limit: Duration)
    /// The guard has ended the window before the freeze ended.
    case expiredMeanwhile
    /// A thaw has thawed what was frozen before the freeze ended.
    case thawedMeanwhile
    /// The hook ended with a status that is a failure; nil when the status needs no explanation.
    case hookFailed(hook: String, HookAction, status: Int32, explanation: String?)

    /// The hook's name; nil when no hook is at fault.
    var hook: String? {
        switch self {
        case .interrupted, .directoryUnreadable, .tooLate, .expiredMeanwhile, .thawedMeanwhile: nil
        case .hookRefused(let hook, _), .outOfTime(let hook, _), .hookFailed(let hook, _, _, _): hook
        }
    }

    /// The failure in words, without the hook's name.
    var reason: String {
        switch self {
        case .interrupted(let signal): "interrupted by \(signalName(signal))"
        case .directoryUnreadable(let path, let reason):
            "no hook runs: the directory \(SafeText.clean(path)) cannot be read: \(reason)"
        case .hookRefused(_, let reason): "refused: \(reason)"
        case .outOfTime(_, let limit): "the time for the freeze (\(DurationText.format(limit))) is used up"
        case .tooLate(let limit): "the freeze has taken longer than freeze-timeout (\(DurationText.format(limit)))"
        case .expiredMeanwhile: "the guard had ended the window before the freeze ended"
        case .thawedMeanwhile: "a thaw had ended the cycle before the freeze ended"
        case .hookFailed(_, let action, let status, let explanation):
            (action == .freeze ? "" : "\(action.rawValue) ") + "finished with status=\(status)"
                + (explanation.map { " (\($0))" } ?? "")
        }
    }

    /// The journal's MESSAGE_ID for the failure.
    var messageID: MessageID {
        switch self {
        case .interrupted: .interrupted
        case .directoryUnreadable, .hookRefused: .hookRefused
        case .outOfTime, .tooLate: .budgetExhausted
        case .expiredMeanwhile, .thawedMeanwhile: .windowExpired
        case .hookFailed: .hookFailed
        }
    }

    package var description: String { (hook.map { "\($0): " } ?? "") + reason }
}
