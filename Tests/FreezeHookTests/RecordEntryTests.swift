// SPDX-License-Identifier: Apache-2.0

import SystemPackage
import TestSupport
import Testing

@testable import FreezeHook
@testable import FreezeHookAdmin
@testable import FreezeHookBase
@testable import FreezeHookRecipes

/// The lines of the cycle record.
@Suite struct RecordEntryTests {
    private static let process = ProcessIdentity(pid: 4_194_304, startTime: .max)
    // Bytes that names and words of hooks may hold, among them the separators of the line.
    private static let hostile = "a\tb\nc%09%d\r\0\u{1b}[2J é€😀\u{202e}"
    private static let hostilePath = FilePath(bytes: bytes("/d/\t\n%\r\u{1b}%0a") + [0x80, 0xff, 0xc3])

    /// Entries with these texts in all fields that hold one.
    private static func texts(_ text: String) -> [RecordEntry] {
        [
            .cycle(id: text, bootID: text), .drainer(socket: text), .drained(socket: text),
            .guardian(process, socket: text),
            .hold(name: text, hook: text, holder: process), .client(hold: text, process), .released(hold: text),
            .lost(hold: text, time: nil, reason: text), .lost(hold: text, time: .now(), reason: text), .fault(text),
            .end(status: 0, signal: nil, timedOut: false, duration: .zero, explanation: text),
            .end(status: 137, signal: 9, timedOut: true, duration: .nanoseconds(Int64.max), explanation: text),
            .end(status: -1, signal: 64, timedOut: false, duration: .nanoseconds(-1), explanation: text),
            .refused(action: .thaw, path: hostilePath, reason: text), .left(path: hostilePath, process),
            .leftEnded(process, time: nil), .leftEnded(process, time: WallTime(microseconds: .min)),
            .agent(process, writes: .max), .unanswered, .notExecuted, .every,
            .limits(HoldLimits(longest: nil, killGrace: .zero)),
            .limits(HoldLimits(longest: .nanoseconds(Int64.max), killGrace: .nanoseconds(-1))),
            .retryThaw(path: hostilePath), .held(path: hostilePath), .givenUp(path: hostilePath),
            .thawWord(path: hostilePath, word: text),
        ]
    }

    static let entries: [RecordEntry] = {
        var entries = ["", "x", hostile].flatMap { texts($0) }
        entries += [.process(process), .process(ProcessIdentity(pid: 1, startTime: 0))]
        for moment in [CycleMoment.begun, .windowOpened, .frozen, .expired, .thawing, .thawed, .ended] {
            entries.append(.moment(moment, .at(0.123456)))
        }
        for action in [HookAction.prepare, .freeze, .thaw] {
            for reason in [RunReason.freeze, .thaw, .rollback, .recover, .expired] {
                for guarantee in Guarantee.allCases.map(Optional.some) + [nil] {
                    entries.append(
                        .start(action: action, reason: reason, path: hostilePath, guarantee: guarantee, time: .at(-1)))
                }
            }
        }
        return entries
    }()

    @Test(arguments: entries)
    func `An entry comes back as it was written, on one line`(entry: RecordEntry) {
        let line = entry.line
        #expect(line.last == 0x0a)
        #expect(line.filter { $0 == 0x0a }.count == 1)
        #expect(RecordEntry(line: line.dropLast()) == entry)
    }

    @Test(arguments: [
        "", "x", "later\tthing", "cycle\ta", "cycle\ta\tb\tc", "moment\tbegun\t1", "moment\tnever\t1\t2",
        "moment\tbegun\t1\tx", "start\tfreeze\tfreeze\t/d/a\t\t1", "start\tmelt\tfreeze\t/d/a\t\t1\t2",
        "start\tfreeze\twhim\t/d/a\t\t1\t2", "process\t1", "process\tx\t1", "process\t1\t-1", "end\t0\t0\t0\t1",
        "end\tx\t0\t0\t1\t", "end\t99999999999\t0\t0\t1\t", "refused\tmelt\t/d/a\tr", "guard\ts\t1", "hold\tn\th\t1",
        "client\tn\t1", "lost\tn\t1", "released", "fault", "drainer", "drained", "left\t/d/a\t1",
        "left-ended\t1\t1", "left-ended\tx\t1\t", "agent\t1\t1", "agent\t1\t1\t-1", "unanswered\tx", "limits\t1",
        "not-executed\tx", "every\tx", "limits\tx\t1", "limits\t\t", "thaw-word\t/d/a", "\t\t\t",
    ])
    func `A line that is none is passed over`(line: String) {
        #expect(RecordEntry(line: bytes(line)[...]) == nil)
    }

    @Test func `A guarantee of a later version counts as none`() {
        let line = bytes("start\tfreeze\tfreeze\t/d/a\teternal\t1\t2")
        guard case .start(_, _, let path, let guarantee, _) = RecordEntry(line: line[...]) else {
            Issue.record("no start")
            return
        }
        #expect(path == "/d/a")
        #expect(guarantee == nil)
    }

    @Test func `Any line is read or passed over`() {
        var random = SeededRandom(seed: 6)
        let lines = Self.entries.map(\.line)
        for _ in 0..<5000 {
            guard var line = lines.randomElement(using: &random) else { return }
            for _ in 0...Int.random(in: 0...2, using: &random) {
                line[Int.random(in: 0..<line.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
            }
            guard let entry = RecordEntry(line: line[...]) else { continue }
            #expect(RecordEntry(line: entry.line.dropLast()) == entry)
        }
    }
}
