// SPDX-License-Identifier: Apache-2.0

import FreezeHookBase

/// The messages of a marker's writer to the process that has started it, over the pair of sockets that they have.
enum MarkerMessage: Message {
    /// The marker says what the record says.
    case done
    /// The marker cannot be written; the reason.
    case failed(String)

    // Both sides are always of one version: no kind is for every version.
    enum Kind: UInt8 {
        case done = 80
        case failed
    }

    var kind: Kind {
        switch self {
        case .done: .done
        case .failed: .failed
        }
    }

    var payload: [UInt8] {
        if case .failed(let reason) = self { Array(reason.utf8) } else { [] }
    }

    init?(_ kind: Kind, payload: [UInt8]) {
        switch kind {
        case .done:
            guard payload.isEmpty else { return nil }
            self = .done
        case .failed: self = .failed(String(decoding: payload, as: UTF8.self))
        }
    }
}
