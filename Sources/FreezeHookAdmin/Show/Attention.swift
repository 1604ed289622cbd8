// SPDX-License-Identifier: Apache-2.0

import FreezeHookBase
import SystemPackage

/// A state that somebody has to act on.
package enum Attention: Equatable, Sendable, CustomStringConvertible {
    /// The guard has ended the window, and no thaw has come since.
    case windowExpired(cycle: String)
    /// The window is open, and nothing ends it but a thaw.
    case guardKilled(cycle: String)
    /// The freeze ended before it had frozen or thawed everything.
    case freezeKilled(cycle: String)
    /// A guard waits for the end of a window whose record is lost: the last verdict known is of an earlier cycle.
    case recordLost(cycle: String)
    /// The hook's thaw came to no end, and its application may still be locked.
    case mayBeHeld(hook: String)
    /// The session's holder or client is gone, and the window still open.
    case sessionLost(name: String)
    /// The history cannot be read, so that past cycles are unknown.
    case historyUnreadable(place: String, reason: Errno)

    /// The problem, without its repair.
    package var problem: String {
        switch self {
        case .windowExpired(let cycle): "the guard has ended the window of cycle \(cycle) and its thaw has not come"
        case .guardKilled(let cycle): "the guard of cycle \(cycle) has been killed"
        case .freezeKilled(let cycle): "the freeze of cycle \(cycle) was killed"
        case .recordLost(let cycle): "the window of cycle \(cycle) may be open, and its record is lost"
        case .mayBeHeld(let hook): "\(hook) may still be held: its thaw has not come to its end"
        case .sessionLost(let name): "the session \(name) has ended too early"
        case .historyUnreadable(let place, let reason): "the history in \(place) cannot be read: \(reason)"
        }
    }

    /// The command that mends the problem; nil when none does.
    package var repair: String? {
        switch self {
        case .windowExpired, .guardKilled, .recordLost, .mayBeHeld: "fsfreeze-hook thaw"
        case .freezeKilled: "fsfreeze-hook recover"
        case .historyUnreadable(_, .permissionDenied): "sudo fsfreeze-hook status"
        case .sessionLost, .historyUnreadable: nil
        }
    }

    /// The problem and its repair as one sentence.
    package var description: String {
        let repair = repair ?? ""
        return switch self {
        case .windowExpired, .freezeKilled: "\(problem): \(repair)"
        case .mayBeHeld: "\(problem): \(repair) calls it again, and with --give-up ends the cycle"
        case .recordLost: "\(problem): \(repair) calls every hook"
        case .guardKilled: "\(problem): nothing ends the window but \(repair)"
        case .historyUnreadable(_, .permissionDenied): "\(problem); call it as root"
        case .sessionLost, .historyUnreadable: problem
        }
    }
}

extension Attention: Encodable {
    private enum CodingKeys: CodingKey {
        case problem, repair
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(problem, forKey: .problem)
        try container.encodeIfPresent(repair, forKey: .repair)
    }
}
