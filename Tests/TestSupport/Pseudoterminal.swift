// SPDX-License-Identifier: Apache-2.0

import Glibc

/// A terminal of a given width that keeps its output for a test.
package final class Pseudoterminal {
    /// The device that the program opens.
    package let path: String
    private let master: Int32
    private var bytes: [UInt8] = []

    /// A terminal of this many columns; 0 for an unknown width.
    package init(columns: Int) throws {
        // The Glibc module lacks posix_openpt(3) and its companions: these are their calls, with the numbers of
        // <asm-generic/ioctls.h>.
        let unlock: UInt = 0x4004_5431
        let number: UInt = 0x8004_5430
        master = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK)
        var locked: Int32 = 0
        var index: UInt32 = 0
        guard master >= 0, ioctl(master, unlock, &locked) == 0, ioctl(master, number, &index) == 0 else {
            throw TestFailure("no pseudoterminal: \(String(cString: strerror(errno)))")
        }
        path = "/dev/pts/\(index)"
        var size = winsize(ws_row: 24, ws_col: UInt16(columns), ws_xpixel: 0, ws_ypixel: 0)
        guard ioctl(master, UInt(TIOCSWINSZ), &size) == 0 else {
            throw TestFailure("TIOCSWINSZ: \(String(cString: strerror(errno)))")
        }
    }

    deinit { close(master) }

    /// The output up to now, with the program's own newlines.
    package var text: String {
        var buffer = [UInt8](repeating: 0, count: 4096)
        while case let count = read(master, &buffer, buffer.count), count > 0 { bytes += buffer[..<count] }
        // The line discipline puts a carriage return before each newline.
        return String(decoding: bytes, as: UTF8.self).split(separator: "\r\n", omittingEmptySubsequences: false)
            .joined(separator: "\n")
    }

    /// Types a text; a control character reaches the program as a terminal's would.
    package func type(_ text: String) {
        let bytes = Array(text.utf8)
        _ = write(master, bytes, bytes.count)
    }
}
