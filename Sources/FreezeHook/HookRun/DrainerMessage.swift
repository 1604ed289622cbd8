// SPDX-License-Identifier: Apache-2.0

import FreezeHookBase

/// The messages between a freeze or thaw and its drainer, over the pair of sockets that they have from the start.
enum DrainerMessage: Message {
    /// The drainer runs, and its own socket is open.
    case ready
    /// A pipe to read, the descriptor, and the name of its hook.
    case pipe(hook: String)

    // Both sides are always of one version: no kind is for every version.
    enum Kind: UInt8 {
        case ready = 64
        case pipe
    }

    var kind: Kind {
        switch self {
        case .ready: .ready
        case .pipe: .pipe
        }
    }

    var payload: [UInt8] {
        if case .pipe(let hook) = self { Array(hook.utf8) } else { [] }
    }

    var carriesDescriptor: Bool {
        if case .pipe = self { true } else { false }
    }

    init?(_ kind: Kind, payload: [UInt8]) {
        switch kind {
        case .ready:
            guard payload.isEmpty else { return nil }
            self = .ready
        case .pipe: self = .pipe(hook: String(decoding: payload, as: UTF8.self))
        }
    }
}
