// SPDX-License-Identifier: Apache-2.0

/// What a holder says to `hold` and to `release`.
enum HolderAnswer: Equatable {
    /// A line that the client has printed.
    case output(String)
    /// The session stands, or has ended well.
    case done
    /// Why it does not, or has not.
    case failed(String)

    /// The bytes of its message.
    var payload: [UInt8] {
        switch self {
        case .output(let text), .failed(let text): Array(text.utf8)
        case .done: []
        }
    }
}
