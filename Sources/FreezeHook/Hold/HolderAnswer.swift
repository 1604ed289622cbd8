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
}
