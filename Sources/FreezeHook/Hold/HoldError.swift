// SPDX-License-Identifier: Apache-2.0

import FreezeHookBase
import SystemPackage

/// Why a session could not be opened, or has not ended as it should.
package enum HoldError: Error, Equatable, CustomStringConvertible {
    /// No socket to a holder could be made.
    case noSocket(Errno)
    case holderNotStarted
    /// The holder closed its socket before it had answered.
    case holderDied
    case noAnswer
    case misunderstood(MessageError)
    /// The holder's answer, in its own words.
    case failed(String)
    /// Neither the cycle record nor a holder knows a session of this name.
    case notHeld(name: String)
    case alreadyReleased(name: String)
    /// The session ended in the window; `time` is nil when nobody saw when.
    case lost(name: String, time: WallTime?, reason: String)
    /// The session's holder was killed.
    case holderKilled(name: String)

    /// Whether the holder has given no account of the session's end.
    var leavesEndUnknown: Bool {
        switch self {
        case .noSocket, .holderDied, .noAnswer, .misunderstood, .holderKilled: true
        case .holderNotStarted, .failed, .notHeld, .alreadyReleased, .lost: false
        }
    }

    package var description: String {
        switch self {
        case .noSocket(let error): "no socket: \(error)"
        case .holderNotStarted: "the holder cannot be started"
        case .holderDied: "the holder has died; the session is lost"
        case .noAnswer: "the holder does not answer"
        case .misunderstood(let error): "the holder's answer is not understood: \(error)"
        case .failed(let reason): reason
        case .notHeld(let name): "no session \(name) is held"
        case .alreadyReleased(let name): "the session \(name) has been released already"
        case .lost(let name, let time?, let reason): "the session \(name) had ended at \(time.rfc3339): \(reason)"
        case .lost(let name, nil, let reason): "the session \(name) had ended: \(reason)"
        case .holderKilled(let name):
            "the session \(name) had ended at an unknown moment: its holder was killed"
        }
    }
}
