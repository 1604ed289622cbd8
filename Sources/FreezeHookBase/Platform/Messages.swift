// SPDX-License-Identifier: Apache-2.0

import CLinux
import Glibc
import SystemPackage

/// The messages of one kind of socket: an enumeration with a case for each.
package protocol Message {
    /// The numbers of the messages in the envelope.
    associatedtype Kind: RawRepresentable where Kind.RawValue == UInt8

    /// The number of the message.
    var kind: Kind { get }
    /// The content of the message beside its kind.
    var payload: [UInt8] { get }
    /// Whether a descriptor goes with the message.
    var carriesDescriptor: Bool { get }

    /// The message of this kind and payload; nil when the payload is none of that kind.
    init?(_ kind: Kind, payload: [UInt8])
}

extension Message {
    package var carriesDescriptor: Bool { false }
}

/// Messages over a sequenced-packet socket, each an envelope of 12 bytes and a payload:
///
///     0 ..< 4   "FSFH"
///     4 ..< 6   the version of the messages, big-endian
///     6         the kind of the message
///     7         0
///     8 ..< 12  the length of the payload, big-endian
///
/// The thaw of another version must end guard, holders and drainers of this one, so this layout and the kinds 1 to 15
/// with their meaning never change. A message of any other kind and another version is an error, and its answer has a
/// kind below 16. A change to those other kinds raises the number in `CLinux/version.c`.
package enum Messages {
    /// The kinds that programs of every version understand.
    package static let lastingKinds: ClosedRange<UInt8> = 1...15
    /// The version of all other kinds.
    package static var version: UInt16 { clinux_message_version() }

    private static let mark = Array("FSFH".utf8)
    private static let headSize = 12
    // The largest payload is an argument or a variable, of 128 KiB at most (MAX_ARG_STRLEN).
    private static let sizeLimit = 132 * 1024

    /// Sends a message that carries no descriptor.
    ///
    /// - Parameter deadline: the moment until which the receiver may make room.
    /// - Throws: `closed` when the receiver has gone, `timeout`, or `failed` with the kernel's errno.
    package static func send<M: Message>(
        _ message: M, to socket: borrowing Descriptor, until deadline: MonotonicTime
    ) throws(MessageError) {
        try send(message, passing: -1, to: socket, until: deadline)
    }

    /// Sends a message with the descriptor that it carries; the sender keeps its own.
    package static func send<M: Message>(
        _ message: M, passing descriptor: borrowing Descriptor, to socket: borrowing Descriptor,
        until deadline: MonotonicTime
    ) throws(MessageError) {
        try send(message, passing: descriptor.number, to: socket, until: deadline)
    }

    // clinux_send sends no descriptor for a negative number.
    private static func send<M: Message>(
        _ message: M, passing passed: Int32, to socket: borrowing Descriptor, until deadline: MonotonicTime
    ) throws(MessageError) {
        let payload = message.payload
        let bytes = envelope(kind: message.kind.rawValue, length: payload.count) + payload
        try wait(for: socket, POLLOUT, until: deadline) {
            clinux_send(socket.number, bytes, bytes.count, passed)
        }
    }

    /// A received message, and the descriptor that it carries.
    package struct Received<M: Message>: ~Copyable {
        /// The message.
        package let message: M
        /// The descriptor; nil when the message carries none.
        package var descriptor: Descriptor?
    }

    /// The next message.
    ///
    /// - Parameter deadline: the moment until which a message may come.
    /// - Throws: `closed` when the other side has gone, `timeout`, or why the bytes are no message of this socket; a
    ///   descriptor that came with them is closed.
    package static func receive<M: Message>(
        _ type: M.Type = M.self, from socket: borrowing Descriptor, until deadline: MonotonicTime
    ) throws(MessageError) -> Received<M> {
        var passed: Int32 = -1
        var bytes: [UInt8] = []
        // withUnsafeTemporaryAllocation rethrows untyped: the result carries the error out.
        let received = withUnsafeTemporaryAllocation(byteCount: headSize + sizeLimit, alignment: 16) { buffer in
            Result { () throws(MessageError) in
                let count = try wait(for: socket, POLLIN, until: deadline) {
                    clinux_receive(socket.number, buffer.baseAddress, buffer.count, &passed)
                }
                bytes = Array(buffer[..<count])
            }
        }
        try received.get()
        let descriptor: Descriptor? = passed >= 0 ? Descriptor(owning: passed) : nil
        let message: M = try decode(bytes)
        guard message.carriesDescriptor == (descriptor != nil) else {
            throw MessageError.malformed(kind: message.kind.rawValue)
        }
        return Received(message: message, descriptor: descriptor)
    }

    /// The envelope of a message.
    package static func envelope(kind: UInt8, length: Int, version: UInt16 = Messages.version) -> [UInt8] {
        mark + bigEndian(version) + [kind, 0] + bigEndian(UInt32(length))
    }

    /// The message in an envelope.
    package static func decode<M: Message>(_ bytes: [UInt8]) throws(MessageError) -> M {
        // recvmsg(2) returns 0 for an empty packet as for the end.
        guard !bytes.isEmpty else { throw .closed }
        guard bytes.count >= headSize, bytes.starts(with: mark) else { throw .foreign }
        let kind = bytes[6]
        let sender = UInt16(bytes[4]) << 8 | UInt16(bytes[5])
        guard sender == version || lastingKinds.contains(kind) else { throw .otherVersion(sender) }
        let length = bytes[8..<headSize].reduce(0) { $0 << 8 | Int($1) }
        guard length == bytes.count - headSize else { throw .wrongLength(kind: kind) }
        guard let known = M.Kind(rawValue: kind) else { throw .unknown(kind: kind) }
        guard let message = M(known, payload: Array(bytes[headSize...])) else { throw .malformed(kind: kind) }
        return message
    }

    private static func bigEndian(_ number: some FixedWidthInteger) -> [UInt8] {
        withUnsafeBytes(of: number.bigEndian) { Array($0) }
    }

    /// Repeats a call that does not block until it succeeds or the deadline has passed; one that fails, once.
    @discardableResult
    private static func wait(
        for socket: borrowing Descriptor, _ event: Int32, until deadline: MonotonicTime, _ body: () -> Int
    ) throws(MessageError) -> Int {
        var hasFailed = false
        while true {
            do { return try call(body) } catch .wouldBlock {} catch {
                let error = MessageError(error)
                // A passing want of memory must lose no message: its receiver takes the sender for dead.
                guard error != .closed, !hasFailed else { throw error }
                hasFailed = true
                continue
            }
            if .now() >= deadline { throw .timeout }
            var waiting = [pollfd(socket.number, for: event)]
            pollDescriptors(&waiting, until: deadline)
        }
    }
}
