// SPDX-License-Identifier: Apache-2.0

/// The answers of a holder to `hold` and to `release`.
enum HolderAnswer: Equatable {
    /// A line that the client has printed.
    case output(String)
    /// The session is ready, or has ended well.
    case done
    /// The session is not ready, or has not ended well; with the reason.
    case failed(String)

    /// The bytes of its message.
    var payload: [UInt8] {
        switch self {
        case .output(let text), .failed(let text): Array(text.utf8)
        case .done: []
        }
    }

    /// The answer of a message of either socket with this number; nil when there is none, or its payload is none of
    /// that kind.
    init?(number: UInt8, payload: [UInt8]) {
        let text = String(decoding: payload, as: UTF8.self)
        switch number {
        case ReleaseMessage.Kind.done.rawValue where payload.isEmpty: self = .done
        case ReleaseMessage.Kind.failed.rawValue: self = .failed(text)
        case ReleaseMessage.Kind.output.rawValue: self = .output(text)
        default: return nil
        }
    }
}
