// SPDX-License-Identifier: Apache-2.0

import FreezeHookBase

/// The messages over a holder's own socket in the run directory.
enum ReleaseMessage: Message {
    /// The request to end the session.
    case release
    case answer(HolderAnswer)

    // All kinds are for every version.
    enum Kind: UInt8 {
        case release = 2
        case done = 4
        case failed = 5
        case output = 6
    }

    var kind: Kind {
        switch self {
        case .release: .release
        case .answer(.done): .done
        case .answer(.failed): .failed
        case .answer(.output): .output
        }
    }

    var payload: [UInt8] {
        if case .answer(let answer) = self { answer.payload } else { [] }
    }

    init?(_ kind: Kind, payload: [UInt8]) {
        switch (kind, payload.isEmpty) {
        case (.release, true): self = .release
        default:
            guard let answer = HolderAnswer(number: kind.rawValue, payload: payload) else { return nil }
            self = .answer(answer)
        }
    }
}
