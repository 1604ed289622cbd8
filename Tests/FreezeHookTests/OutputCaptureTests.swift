// SPDX-License-Identifier: Apache-2.0

import Glibc
import TestSupport
import Testing

@testable import FreezeHook
@testable import FreezeHookAdmin
@testable import FreezeHookBase
@testable import FreezeHookRecipes

/// Output through a pipe: the first 32 KiB or 500 lines, the last 32 KiB or 500 lines, and a line about the rest.
@Suite struct OutputCaptureTests {
    /// The lines that a capture hands on.
    private final class Lines {
        var all: [String] = []
        var groups = 0
    }

    /// All lines of an output that comes through a pipe, to its end.
    private func capture(_ output: [UInt8]) throws -> [String] {
        let pipe = try Pipe()
        let lines = Lines()
        let capture = OutputCapture { lines.all += $0 }
        try withThread {
            pipe.write(output)
            pipe.closeWriteEnd()
        } while: {
            while case .data = capture.read(from: pipe.readEnd) {}
        }
        capture.finish()
        return lines.all
    }

    /// Numbered lines of this length, their newlines counted.
    private func numbered(_ count: Int, length: Int) -> [String] {
        (0..<count).map { number in
            let digits = String(number)
            return digits + String(repeating: ".", count: length - 1 - digits.count)
        }
    }

    private func marker(dropped: Int, head: Int, tail: Int) -> String {
        "[\(dropped) bytes of output dropped; the first \(head) and the last \(tail) bytes are kept]"
    }

    @Test(arguments: [0, 1, 255, 256, 257, 511, 512])
    func `Up to 64 KiB nothing is dropped`(count: Int) throws {
        let lines = numbered(count, length: 128)
        #expect(try capture(bytes(lines.map { $0 + "\n" }.joined())) == lines)
        #expect(try capture(bytes(lines.joined(separator: "\n"))) == lines)
    }

    @Test(arguments: [513, 600, 2000, 20_000])
    func `Of more the first and the last 32 KiB are kept, whole lines of 128 bytes`(count: Int) throws {
        let lines = numbered(count, length: 128)
        let expected = lines[..<256] + [marker(dropped: (count - 512) * 128, head: 32_768, tail: 32_768)]
        #expect(try capture(bytes(lines.map { $0 + "\n" }.joined())) == expected + lines.suffix(256))
    }

    @Test(arguments: [499, 500, 501, 999, 1000])
    func `Up to 1000 short lines nothing is dropped`(count: Int) throws {
        let lines = numbered(count, length: 10)
        #expect(try capture(bytes(lines.map { $0 + "\n" }.joined())) == lines)
    }

    @Test(arguments: [1001, 1500, 30_000])
    func `Of more the first and the last 500 lines are kept`(count: Int) throws {
        let lines = numbered(count, length: 10)
        let expected = lines[..<500] + [marker(dropped: (count - 1000) * 10, head: 5000, tail: 5000)]
        #expect(try capture(bytes(lines.map { $0 + "\n" }.joined())) == expected + lines.suffix(500))
    }

    @Test(arguments: [32_767, 32_768, 32_769, 65_535, 65_536, 65_537, 65_600, 100_000, 300_000])
    func `What is kept and what is dropped is counted to the byte`(count: Int) throws {
        // Lines of 131 bytes: neither limit is at the end of one.
        let output = Array(bytes(numbered(count / 131 + 1, length: 131).map { $0 + "\n" }.joined()).prefix(count))
        let lines = try capture(output)
        let text = String(decoding: output, as: UTF8.self)
        if count <= 65_536 {
            #expect(lines == text.split(separator: "\n").map(String.init))
            return
        }
        let place = try #require(
            lines.firstIndex(of: marker(dropped: count - 65_536, head: 32_768, tail: 32_768)), "\(lines.count) lines")
        #expect(lines[..<place].joined(separator: "\n") == String(text.prefix(32_768)))
        #expect(lines[(place + 1)...].map { $0 + "\n" }.joined().hasPrefix(text.suffix(32_768)))
    }

    @Test func `A line that begins in the head and ends in the tail is one`() throws {
        let long = String(repeating: "x", count: 1000)
        let lines = numbered(253, length: 128) + [long] + numbered(200, length: 128)
        #expect(try capture(bytes(lines.map { $0 + "\n" }.joined())) == lines)
    }

    @Test func `An open line at the end of the head stands before the word about what is missing`() throws {
        let output = "start\n" + String(repeating: "x", count: 100_000) + "\nend\n"
        let lines = try capture(bytes(output))
        let place = try #require(lines.firstIndex { $0.hasPrefix("[") })
        #expect(lines.first == "start" && lines.last == "end")
        #expect(lines[place] == marker(dropped: output.utf8.count - 65_536, head: 32_768, tail: 32_768))
        #expect(lines[..<place].map(\.count).reduce(0, +) == 32_768 - 1)
        #expect(lines[(place + 1)...].map(\.count).reduce(0, +) == 32_768 - 2)
    }

    @Test func `The head goes on at once, the tail at the end`() throws {
        let pipe = try Pipe()
        let lines = Lines()
        let capture = OutputCapture {
            lines.all += $0
            lines.groups += 1
        }
        pipe.write(bytes("one\ntwo\nthr"))
        #expect(capture.read(from: pipe.readEnd) == .data)
        #expect(lines.all == ["one", "two"])
        #expect(lines.groups == 1)
        pipe.write(bytes("ee\n"))
        #expect(capture.read(from: pipe.readEnd) == .data)
        #expect(lines.all == ["one", "two", "three"])
        pipe.write(bytes(String(repeating: "\n", count: 600)))
        #expect(capture.read(from: pipe.readEnd) == .data)
        #expect(lines.all.count == 500)
        pipe.closeWriteEnd()
        #expect(capture.read(from: pipe.readEnd) == .end)
        #expect(lines.all.count == 500)
        capture.finish()
        #expect(lines.all.count == 603)
        capture.finish()
        #expect(lines.all.count == 603)
    }

    @Test func `A pipe that is empty is not at its end`() throws {
        let pipe = try Pipe()
        _ = fcntl(pipe.readEnd, F_SETFL, O_NONBLOCK)
        let lines = Lines()
        let capture = OutputCapture { lines.all += $0 }
        #expect(capture.read(from: pipe.readEnd) == .empty)
        pipe.write(bytes("a\nb"))
        #expect(capture.readAvailable(from: pipe.readEnd) == .empty)
        pipe.closeWriteEnd()
        #expect(capture.readAvailable(from: pipe.readEnd) == .end)
        #expect(lines.all == ["a"])
        capture.finish()
        #expect(lines.all == ["a", "b"])
    }

    @Test func `After the last words a capture begins anew`() throws {
        let pipe = try Pipe()
        let lines = Lines()
        let capture = OutputCapture { lines.all += $0 }
        for _ in 0..<2 {
            for _ in 0..<4 {
                pipe.write(bytes(String(repeating: "\n", count: 300)))
                #expect(capture.read(from: pipe.readEnd) == .data)
            }
            lines.all = []
            capture.finish()
            #expect(lines.all.count == 501)
            #expect(lines.all.first == marker(dropped: 200, head: 500, tail: 500))
        }
        pipe.closeWriteEnd()
    }

    @Test(.timeLimit(.minutes(1)))
    func `A writer that never pauses is left, and what it says takes no memory`() async {
        // The peak belongs to a whole process, so the code runs in one of its own.
        await #expect(processExitsWith: .success) {
            let zero = open("/dev/zero", O_RDONLY)
            let capture = OutputCapture { _ in }
            #expect(capture.readAvailable(from: zero) == .data)
            let before = try Processes.peakMemory(of: getpid())
            for _ in 0..<64 { #expect(capture.readAvailable(from: zero) == .data) }
            #expect(try Processes.peakMemory(of: getpid()) - before < 1 << 20)
        }
    }

    /// A closed pipe would end its writer.
    @Test func `A read that fails once is no end`() throws {
        let pipe = try Pipe()
        let lines = Lines()
        let capture = OutputCapture { lines.all += $0 }
        pipe.write(bytes("a\n"))
        let closed = Int32.max
        for _ in 0..<3 {
            guard case .empty = capture.read(from: closed) else { throw TestFailure("the first failure is an end") }
            guard case .end = capture.read(from: closed) else { throw TestFailure("the second failure is no end") }
            pipe.write(bytes("b\n"))
            guard case .data = capture.read(from: pipe.readEnd) else { throw TestFailure("no data") }
        }
        pipe.closeWriteEnd()
        #expect(lines.all == ["a", "b", "b", "b"])
    }
}
