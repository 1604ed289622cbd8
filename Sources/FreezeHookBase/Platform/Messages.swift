import CLinux
import Glibc

/// Messages over a sequenced-packet socket, each of a letter that says what it is, and its bytes.
package enum Messages {
    // The largest field is an argument or a variable: the kernel takes 128 KiB (MAX_ARG_STRLEN).
    private static let sizeLimit = 132 * 1024

    /// Sends a message, with a descriptor if one is given; false when nobody is there to take it.
    @discardableResult
    package static func send(
        _ letter: Character, _ bytes: [UInt8] = [], passing descriptor: Int32 = -1, to socket: Int32
    )
        -> Bool
    {
        let message = [letter.asciiValue ?? 0] + bytes
        return clinux_send(socket, message, message.count, descriptor) >= 0
    }

    /// A message that has come.
    package struct Received {
        /// What kind of message it is.
        package var letter: Character
        /// What it says.
        package var bytes: [UInt8]
        /// -1 when none came with it.
        package var descriptor: Int32

        /// The bytes as text.
        package var text: String { String(decoding: bytes, as: UTF8.self) }
    }

    /// The next message; nil when the other side has closed the socket.
    package static func receive(from socket: Int32) -> Received? {
        var buffer = [UInt8](repeating: 0, count: sizeLimit)
        var descriptor: Int32 = -1
        let count = clinux_receive(socket, &buffer, buffer.count, &descriptor)
        guard count > 0 else { return nil }
        return Received(
            letter: Character(UnicodeScalar(buffer[0])), bytes: Array(buffer[1..<count]), descriptor: descriptor)
    }

    /// Waits for a message until the moment; false when none has come.
    package static func wait(for socket: Int32, until moment: MonotonicTime) -> Bool {
        waitUntilReadable(socket, until: moment)
    }

    /// A connected pair of such sockets, both close-on-exec, or nil when no descriptor is free.
    package static func pair() -> (own: Int32, other: Int32)? {
        var ends: [Int32] = [0, 0]
        guard socketpair(AF_UNIX, Int32(SOCK_SEQPACKET.rawValue), 0, &ends) == 0 else { return nil }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        return (ends[0], ends[1])
    }
}
