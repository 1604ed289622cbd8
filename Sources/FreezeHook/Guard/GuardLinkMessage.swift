// SPDX-License-Identifier: Apache-2.0

import FreezeHookBase

/// The messages between a freeze and its guard, over the pair of sockets that they have from the start.
enum GuardLinkMessage: Message {
    /// The guard runs.
    case ready
    /// The guard runs without a socket of its own, for this reason: only this link reaches it.
    case unreachable(String)
    /// The freeze is complete: the hold limit counts from now on.
    case frozen
    /// All hooks of a rehearsal have run, and its process stays to thaw them.
    case rehearsed
    /// The freeze was rolled back, and no window is left to guard.
    case ended
    /// The freeze was rolled back, and something may still be held.
    case unthawed

    // Both sides are always of one version: no kind is for every version.
    enum Kind: UInt8 {
        case ready = 32
        case frozen
        case rehearsed
        case ended
        case unreachable
        case unthawed
    }

    var kind: Kind {
        switch self {
        case .ready: .ready
        case .frozen: .frozen
        case .rehearsed: .rehearsed
        case .ended: .ended
        case .unreachable: .unreachable
        case .unthawed: .unthawed
        }
    }

    var payload: [UInt8] {
        if case .unreachable(let reason) = self { Array(reason.utf8) } else { [] }
    }

    init?(_ kind: Kind, payload: [UInt8]) {
        guard payload.isEmpty || kind == .unreachable else { return nil }
        self =
            switch kind {
            case .ready: .ready
            case .frozen: .frozen
            case .rehearsed: .rehearsed
            case .ended: .ended
            case .unreachable: .unreachable(String(decoding: payload, as: UTF8.self))
            case .unthawed: .unthawed
            }
    }
}
