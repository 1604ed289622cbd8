// SPDX-License-Identifier: Apache-2.0

import FreezeHookBase
import Glibc
import SystemPackage

/// Takes output off a pipe: its head goes on line by line as it comes, of the rest the last part is kept, and what lies
/// between is counted. Memory and log do not grow with the output.
final class OutputCapture {
    /// What one read of the pipe brought.
    enum ReadResult {
        case data
        /// Nothing now; writers remain.
        case empty
        /// No writer is left.
        case end
    }

    private static let byteLimit = 32 * 1024
    private static let lineLimit = 500
    // What a pipe holds by default.
    private static let readSize = 64 * 1024

    private let emit: ([String]) -> Void
    private var splitter = LineSplitter()
    private var headBytes = 0
    private var headLines = 0
    private var tail = TailBuffer()

    /// `emit` is given the cleaned lines in their order.
    init(emit: @escaping ([String]) -> Void) {
        self.emit = emit
    }

    /// Reads once what the pipe holds.
    func read(from descriptor: Int32) -> ReadResult {
        do throws(Errno) {
            let count = try headIsFull ? tail.read(from: descriptor) : readHead(from: descriptor)
            return count > 0 ? .data : .end
        } catch .wouldBlock {
            return .empty
        } catch {
            return .end
        }
    }

    /// Reads until the pipe is empty or at its end; a writer that never pauses is left after 1 MiB.
    func readAvailable(from descriptor: Int32) -> ReadResult {
        for _ in 0..<16 {
            let result = read(from: descriptor)
            if case .data = result { continue }
            return result
        }
        return .data
    }

    /// Hands on what is left: a word about what was dropped, and the last lines.
    func finish() {
        let last = tail.suffix(bytes: Self.byteLimit, lines: Self.lineLimit)
        let dropped = tail.total - last.count
        var lines: [String] = []
        if dropped > 0 {
            if let line = splitter.unfinishedLine() { lines.append(line) }
            lines.append(
                "[\(dropped) bytes of output dropped; the first \(headBytes) and the last \(last.count) bytes are kept]"
            )
        }
        lines += splitter.lines(completedBy: last)
        if let line = splitter.unfinishedLine() { lines.append(line) }
        if !lines.isEmpty { emit(lines) }
        headBytes = 0
        headLines = 0
        tail = TailBuffer()
    }

    private var headIsFull: Bool { headBytes >= Self.byteLimit || headLines >= Self.lineLimit }

    private func readHead(from descriptor: Int32) throws(Errno) -> Int {
        var bytes: ArraySlice<UInt8> = []
        // withUnsafeTemporaryAllocation rethrows untyped: the result carries the error out.
        let result = withUnsafeTemporaryAllocation(byteCount: Self.readSize, alignment: 16) { buffer in
            Result { () throws(Errno) in
                let count = try call { Glibc.read(descriptor, buffer.baseAddress, buffer.count) }
                bytes = Array(buffer[..<count])[...]
            }
        }
        try result.get()
        var end = bytes.startIndex
        while end < bytes.endIndex, !headIsFull {
            headBytes += 1
            if bytes[end] == UInt8(ascii: "\n") { headLines += 1 }
            end += 1
        }
        let lines = splitter.lines(completedBy: bytes[..<end])
        if !lines.isEmpty { emit(lines) }
        if end < bytes.endIndex { tail.append(bytes[end...]) }
        return bytes.count
    }
}
