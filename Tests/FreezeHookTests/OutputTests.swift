import Glibc
import Testing

@testable import FreezeHook

/// Taking a hook's output.
@Suite struct OutputTests {
    /// What a capture hands on of these bytes, sent through a real pipe.
    private func captured(_ bytes: [UInt8]) -> [String] {
        var ends: [Int32] = [0, 0]
        pipe(&ends)
        _ = fcntl(ends[0], F_SETFL, O_NONBLOCK)
        var lines: [String] = []
        let capture = OutputCapture { lines += $0 }
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.prefix(10_000).withUnsafeBytes { write(ends[1], $0.baseAddress, $0.count) }
            rest = rest.dropFirst(max(0, count))
            while case .data = capture.read(from: ends[0]) {}
        }
        close(ends[1])
        #expect({ if case .end = capture.read(from: ends[0]) { true } else { false } }())
        close(ends[0])
        capture.finish()
        return lines
    }

    @Test func `Little output is handed on whole`() {
        #expect(captured(Array("a\nb\r\nc".utf8)) == ["a", "b", "c"])
        #expect(captured([]) == [])
        #expect(captured(Array("\n\n".utf8)) == ["", ""])
    }

    @Test(arguments: [499, 500, 501, 999, 1_000]) func `Up to head and tail nothing is dropped`(count: Int) {
        let lines = (0..<count).map { "line \($0)" }
        #expect(captured(Array(lines.joined(separator: "\n").utf8)) == lines)
    }

    @Test(arguments: [1_001, 5_000, 40_000]) func `Of much the head and the tail are kept, and the rest is counted`(
        count: Int
    ) {
        let lines = (0..<count).map { "line \($0)" }
        let got = captured(Array(lines.map { $0 + "\n" }.joined().utf8))
        #expect(got.count == 1_001)
        #expect(Array(got.prefix(500)) == Array(lines.prefix(500)))
        #expect(Array(got.suffix(500)) == Array(lines.suffix(500)))
        let dropped = lines[500..<(count - 500)].reduce(0) { $0 + $1.utf8.count + 1 }
        #expect(got[500].hasPrefix("[\(dropped) bytes of output dropped; "), "\(got[500])")
    }

    @Test func `Bytes are bounded too`() {
        let got = captured([UInt8](repeating: 0x61, count: 1_000_000))
        let kept = got.filter { !$0.hasPrefix("[") }.reduce(0) { $0 + $1.count }
        #expect(kept == 2 * 32 * 1024)
        #expect(got.contains { $0.contains("[\(1_000_000 - 2 * 32 * 1024) bytes of output dropped") })
        #expect(got.allSatisfy { $0.count <= 4096 })
    }

    @Test func `Lines are cut whatever the pieces are`() {
        let text = Array("one\ntwo\n\nthree".utf8)
        for size in 1...text.count {
            var splitter = LineSplitter()
            var lines: [String] = []
            for start in stride(from: 0, to: text.count, by: size) {
                lines += splitter.lines(completedBy: text[start..<min(start + size, text.count)])
            }
            #expect(lines == ["one", "two", ""])
            #expect(splitter.openLine == "three")
            #expect(splitter.unfinishedLine() == "three")
            #expect(splitter.unfinishedLine() == nil)
        }
    }

    @Test(arguments: [0, 1, 65_535, 65_536, 65_537, 131_072, 200_000]) func `A tail is the end of what passed`(
        count: Int
    ) {
        let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0) }
        var tail = TailBuffer()
        for start in stride(from: 0, to: count, by: 7_000) { tail.append(bytes[start..<min(start + 7_000, count)]) }
        #expect(tail.total == count)
        #expect(Array(tail.suffix(bytes: 30_000, lines: .max)) == bytes.suffix(30_000))
    }

    @Test(arguments: [
        (HookOutcome.Ending.exited(0), 0, false), (.exited(3), 3, true), (.exited(77), 77, false),
        (.signaled(9), 137, true),
        (.notStarted(status: 127, reason: "x"), 127, true), (.unknown, 124, true),
    ])
    func `An ending has the shell's number`(ending: HookOutcome.Ending, status: Int, failed: Bool) {
        #expect(HookOutcome(ending: ending).status == Int32(status))
        #expect(HookOutcome(ending: ending).failed == failed)
    }

    @Test func `A status behind a time limit is worth nothing`() {
        var outcome = HookOutcome(ending: .exited(0))
        outcome.exceededLimit = .milliseconds(500)
        outcome.endedBy = SIGTERM
        #expect(outcome.status == 124)
        #expect(outcome.failed)
        #expect(outcome.explanation == "time limit of 500ms exceeded, ended by SIGTERM")
    }
}
