// SPDX-License-Identifier: Apache-2.0

import SystemPackage

/// Why a message could not be sent, or the received bytes are no message.
package enum MessageError: Error, Equatable, CustomStringConvertible {
    /// The other side is gone.
    case closed
    /// The deadline has passed.
    case timeout
    /// The received bytes have no envelope.
    case foreign
    /// The message belongs to another version of the program.
    case otherVersion(UInt16)
    /// The length in the envelope is not that of the payload.
    case wrongLength(kind: UInt8)
    /// No message of this socket has that number.
    case unknown(kind: UInt8)
    /// The payload, or the descriptor, does not fit the kind.
    case malformed(kind: UInt8)
    /// The kernel's errno.
    case failed(Errno)

    init(_ error: Errno) {
        self =
            switch error {
            case .brokenPipe, .connectionReset: .closed
            default: .failed(error)
            }
    }

    /// Whether no further message can come over the socket.
    package var endsSocket: Bool {
        switch self {
        case .closed, .failed: true
        default: false
        }
    }

    package var description: String {
        switch self {
        case .closed: "the other side has gone"
        case .timeout: "the other side does not answer"
        case .foreign: "no message of fsfreeze-hook"
        case .otherVersion(let version):
            "a message of version \(version), and this process speaks version \(Messages.version)"
        case .wrongLength(let kind): "a message of kind \(kind) and a wrong length"
        case .unknown(let kind): "a message of the unknown kind \(kind)"
        case .malformed(let kind): "a message of kind \(kind) that says something else"
        case .failed(let error): "\(error)"
        }
    }
}
