// SPDX-License-Identifier: Apache-2.0

import FreezeHookBase
import Glibc
import SystemPackage

/// The last bytes of a stream of any length, in memory that does not grow with it.
struct TailBuffer {
    // Two halves in turn: when the newer is full the older one is overwritten, so that no byte is ever moved.
    private var halves: [[UInt8]] = []
    private var counts = [0, 0]
    private var current = 0
    /// The number of all bytes so far.
    private(set) var total = 0
    private static let halfSize = 64 * 1024

    /// Reads once, at most 64 KiB; returns how many bytes, 0 at the end. Throws the kernel's errno.
    mutating func read(from descriptor: Int32) throws(Errno) -> Int {
        makeRoom()
        let start = counts[current]
        let count = try call {
            halves[current].withUnsafeMutableBytes { buffer in
                Glibc.read(descriptor, buffer.baseAddress?.advanced(by: start), buffer.count - start)
            }
        }
        counts[current] += count
        total += count
        return count
    }

    /// Appends bytes that were read elsewhere.
    mutating func append(_ bytes: ArraySlice<UInt8>) {
        makeRoom()
        let fitting = bytes.prefix(Self.halfSize - counts[current])
        halves[current].replaceSubrange(counts[current]..<counts[current] + fitting.count, with: fitting)
        counts[current] += fitting.count
        total += fitting.count
        if fitting.count < bytes.count { append(bytes.dropFirst(fitting.count)) }
    }

    /// The last bytes, at most `bytes` of them and at most `lines` lines.
    func suffix(bytes: Int, lines: Int) -> ArraySlice<UInt8> {
        guard !halves.isEmpty else { return [] }
        let kept = (halves[1 - current][..<counts[1 - current]] + halves[current][..<counts[current]]).suffix(bytes)
        var newlines = 0
        for index in kept.indices.dropLast().reversed() where kept[index] == UInt8(ascii: "\n") {
            newlines += 1
            if newlines == lines { return kept[(index + 1)...] }
        }
        return kept
    }

    private mutating func makeRoom() {
        if halves.isEmpty { halves = Array(repeating: [UInt8](repeating: 0, count: Self.halfSize), count: 2) }
        guard counts[current] == Self.halfSize else { return }
        current = 1 - current
        counts[current] = 0
    }
}
