// SPDX-License-Identifier: Apache-2.0

import FreezeHookBase

/// The messages between `hold` and its holder.
enum HoldMessage: Message {
    /// A part of the request.
    case field(HoldRequest.Field)
    /// The request is complete.
    case end
    case answer(HolderAnswer)

    enum Kind: UInt8 {
        // For every version, as the same answers go to `release`.
        case done = 4
        case failed = 5
        case output = 6
        // For this version.
        case field = 80
        case end
    }

    var kind: Kind {
        switch self {
        case .field: .field
        case .end: .end
        case .answer(.done): .done
        case .answer(.failed): .failed
        case .answer(.output): .output
        }
    }

    var payload: [UInt8] {
        switch self {
        case .field(let field): field.bytes
        case .end: []
        case .answer(let answer): answer.payload
        }
    }

    init?(_ kind: Kind, payload: [UInt8]) {
        switch (kind, payload.isEmpty) {
        case (.field, _):
            guard let field = HoldRequest.Field(bytes: payload) else { return nil }
            self = .field(field)
        case (.end, true): self = .end
        default:
            guard let answer = HolderAnswer(number: kind.rawValue, payload: payload) else { return nil }
            self = .answer(answer)
        }
    }
}
