// SPDX-License-Identifier: Apache-2.0

import FreezeHookBase

/// Cuts a stream of bytes into cleaned lines; a line that is longer than the limit is broken up.
struct LineSplitter {
    private var partial: [UInt8] = []
    // Far below the journal's limit for a line (48 KiB, LineMax= in journald.conf(5)).
    private static let lengthLimit = 4096

    /// The lines that these bytes complete.
    mutating func lines(completedBy bytes: ArraySlice<UInt8>) -> [String] {
        var lines: [String] = []
        var rest = bytes
        while !rest.isEmpty {
            let room = Self.lengthLimit - partial.count
            let piece = rest.prefix(room).prefix { $0 != UInt8(ascii: "\n") }
            rest = rest[piece.endIndex...]
            if rest.first == UInt8(ascii: "\n") {
                lines.append(take(piece))
                rest = rest.dropFirst()
            } else if piece.count == room && !rest.isEmpty {
                lines.append(take(piece))
            } else {
                partial += piece
            }
        }
        return lines
    }

    /// The text behind the last newline, such as a prompt; reading does not take it.
    var openLine: String { SafeText.clean(partial) }

    /// Takes the line that no newline has ended; nil when there is none.
    mutating func unfinishedLine() -> String? {
        partial.isEmpty ? nil : take([])
    }

    private mutating func take(_ end: ArraySlice<UInt8>) -> String {
        var line = partial + end
        partial = []
        if line.last == UInt8(ascii: "\r") { line.removeLast() }
        return SafeText.clean(line)
    }
}
