// SPDX-License-Identifier: Apache-2.0

import FreezeHookBase

/// The messages over the guard's own socket in the run directory.
package enum GuardMessage: Message {
    /// The window has ended: the guard ends.
    case ended
    /// The request for a holder; the descriptor becomes its standard input.
    case startHolder
    /// The answer of the guard: the holder runs.
    case started
    /// The request to read the pipe of what this hook left running; the descriptor is its read end.
    case keep(hook: String)
    /// The answer of the guard: it reads the pipe.
    case kept
    /// The guard's refusal of a request, with its reason.
    case refused(String)

    /// The numbers of the messages in the envelope.
    package enum Kind: UInt8 {
        // For every version.
        case ended = 1
        case refused = 5
        // For this version: guard, holder and `hold` are of one program.
        case startHolder = 48
        case started
        case keep
        case kept
    }

    package var kind: Kind {
        switch self {
        case .ended: .ended
        case .startHolder: .startHolder
        case .started: .started
        case .keep: .keep
        case .kept: .kept
        case .refused: .refused
        }
    }

    package var payload: [UInt8] {
        switch self {
        case .refused(let text), .keep(hook: let text): Array(text.utf8)
        case .ended, .startHolder, .started, .kept: []
        }
    }

    package var carriesDescriptor: Bool {
        switch self {
        case .startHolder, .keep: true
        case .ended, .started, .kept, .refused: false
        }
    }

    /// The message of this kind and payload; nil when the payload is none of that kind.
    package init?(_ kind: Kind, payload: [UInt8]) {
        switch (kind, payload.isEmpty) {
        case (.refused, _): self = .refused(String(decoding: payload, as: UTF8.self))
        case (.keep, _): self = .keep(hook: String(decoding: payload, as: UTF8.self))
        case (.kept, true): self = .kept
        case (.ended, true): self = .ended
        case (.startHolder, true): self = .startHolder
        case (.started, true): self = .started
        default: return nil
        }
    }
}
