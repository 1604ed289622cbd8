// SPDX-License-Identifier: Apache-2.0

import FreezeHookBase
import Glibc
import SystemPackage

/// Reads the output of a pipe within bounds: the head is emitted line by line as it comes, the tail is kept, and the
/// bytes between them are only counted.
final class OutputCapture {
    /// The result of one read.
    enum ReadResult {
        case data
        /// No bytes now; writers remain.
        case empty
        /// No writer is left.
        case end
    }

    private static let byteLimit = 32 * 1024
    private static let lineLimit = 500
    // The default capacity of a pipe (pipe(7)).
    private static let readSize = 64 * 1024

    private let emit: ([String]) -> Void
    private var splitter = LineSplitter()
    private var headBytes = 0
    private var headLines = 0
    private var tail = TailBuffer()
    // Whether the last read failed.
    private var hasFailed = false

    /// `emit` gets the cleaned lines in their order.
    init(emit: @escaping ([String]) -> Void) {
        self.emit = emit
    }

    /// Reads once, at most 64 KiB.
    func read(from descriptor: Int32) -> ReadResult {
        do throws(Errno) {
            let count = try headIsFull ? tail.read(from: descriptor) : readHead(from: descriptor)
            hasFailed = false
            return count > 0 ? .data : .end
        } catch .wouldBlock {
            return .empty
        } catch {
            // Tried twice: a pipe that is closed for a passing fault ends its writer by SIGPIPE, and a lock with it.
            defer { hasFailed = true }
            return hasFailed ? .end : .empty
        }
    }

    /// Reads until the pipe is empty or at its end, at most 1 MiB: a writer may never pause.
    func readAvailable(from descriptor: Int32) -> ReadResult {
        for _ in 0..<16 {
            let result = read(from: descriptor)
            if case .data = result { continue }
            return result
        }
        return .data
    }

    /// Emits the rest: a line that counts the dropped bytes, and the tail.
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
