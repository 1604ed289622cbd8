// SPDX-License-Identifier: Apache-2.0

import Glibc
import SystemPackage
import TestSupport
import Testing

@testable import FreezeHook
@testable import FreezeHookAdmin
@testable import FreezeHookBase
@testable import FreezeHookRecipes

/// A record that a kill has cut off at any byte still names every hook that has to be thawed.
@Suite struct TornRecordTests {
    private static let process = ProcessIdentity(pid: 12_345, startTime: 67_890)
    private static let names = ["10-a", "20-b\t\n%", "30-c\u{1b}é"]

    /// A whole cycle: three hooks frozen, held, and thawed in reverse.
    private static let entries: [RecordEntry] = {
        var entries: [RecordEntry] = [
            .begin(), .reaches(.begun), .guardian(process, socket: "guard-1"), .reaches(.windowOpened),
        ]
        for name in names { entries += [.starts(name), .process(process), .ends(0, "words")] }
        entries += [
            .hold(name: "db", hook: "10-a", holder: process), .client(hold: "db", process), .reaches(.frozen),
            .reaches(.thawing), .released(hold: "db"), .drainer(socket: "d"),
        ]
        for name in names.reversed() { entries += [.starts(name, .thaw), .process(process), .ends(1)] }
        return entries + [.reaches(.thawed)]
    }()

    /// The hooks that are frozen after these entries.
    private static func frozen(after entries: some Sequence<RecordEntry>) -> [FilePath] {
        var frozen: [FilePath] = []
        var thawed: FilePath?
        for entry in entries {
            switch entry {
            case .start(.freeze, _, let path, _, _): frozen.append(path)
            case .start(.thaw, _, let path, _, _): thawed = path
            case .end where thawed != nil: frozen.removeAll { $0 == thawed }
            default: break
            }
        }
        return frozen
    }

    @Test func `A record cut off at any byte tells what its whole lines tell`() throws {
        let whole = recordBytes(Self.entries)
        for length in 0...whole.count {
            let lineCount = whole[..<length].count { $0 == 0x0a }
            let record = CycleRecord(parsing: Array(whole[..<length]))
            #expect((record == nil) == (lineCount == 0))
            let expected = Self.frozen(after: Self.entries.prefix(lineCount))
            #expect(record?.hooksToThaw ?? [] == expected, "cut off after \(length) bytes")
        }
    }

    @Test func `An entry behind a torn line never hides a hook`() throws {
        let whole = recordBytes(Self.entries)
        let added = recordBytes([.reaches(.thawing), .fault("f")])
        for length in 1...whole.count {
            let cut = Array(whole[..<length])
            let lineCount = cut.count { $0 == 0x0a }
            let needed = Self.frozen(after: Self.entries.prefix(lineCount))
            let found = CycleRecord(parsing: cut + added)?.hooksToThaw ?? []
            #expect(needed.allSatisfy(found.contains), "cut off after \(length) bytes")
        }
    }

    @Test func `Any damage is survived`() {
        var random = SeededRandom(seed: 7)
        let whole = recordBytes(Self.entries)
        for _ in 0..<500 {
            var damaged = whole
            for _ in 0...Int.random(in: 0...20, using: &random) {
                damaged[Int.random(in: 0..<damaged.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
            }
            let record = CycleRecord(parsing: damaged)
            if let record {
                #expect(record.hooksToThaw.count <= record.runs.count)
                // The verdict and the summary of a damaged record must not trap either.
                #expect(!Verdict(on: record).text.isEmpty)
                #expect(CycleSummary(of: record).hooks.count == record.runs.count)
            }
        }
    }

    // MARK: - The file

    @Test func `A record is kept in the run directory and read again`() throws {
        let directory = try TemporaryDirectory()
        let run = try directory.makeRunDirectory()
        #expect(CycleRecorder.read(in: run) == nil)
        let file = CycleRecorder(in: run, .new)
        for entry in Self.entries { file.append(entry) }
        #expect(file.failure == nil)
        #expect(CycleRecorder.contents(in: run) == recordBytes(Self.entries))
        #expect(Files.mode(of: "\(directory.path)/run/cycle").map { $0 & 0o7777 } == 0o600)
        // Another process appends to the record; a new cycle replaces it.
        CycleRecorder(in: run, .existing).append(.fault("f"))
        #expect(CycleRecorder.read(in: run)?.faults == ["f"])
        let next = CycleRecorder(in: run, .new, beginning: [.begin("cycle-2")])
        #expect(CycleRecorder.contents(in: run) == RecordEntry.begin("cycle-2").line)
        // A process of the old cycle that was stopped meanwhile still has the old file.
        file.append(.fault("late"))
        file.remove()
        #expect(CycleRecorder.contents(in: run) == RecordEntry.begin("cycle-2").line)
        next.remove()
        #expect(try Files.names(in: "\(directory.path)/run") == [])
    }

    @Test func `What is not there or is a link is not gone on with`() throws {
        let directory = try TemporaryDirectory()
        let run = try directory.makeRunDirectory()
        let missing = CycleRecorder(in: run, .existing)
        #expect(missing.failure == .noSuchFileOrDirectory)
        missing.append(.fault("f"))
        #expect(CycleRecorder.contents(in: run) == nil)
        try directory.makeFile("elsewhere", "x")
        try directory.makeLink("run/cycle", to: "../elsewhere")
        let link = CycleRecorder(in: run, .existing)
        #expect(link.failure == .tooManySymbolicLinkLevels)
        link.append(.fault("f"))
        // A new record takes the link's place.
        let new = CycleRecorder(in: run, .new)
        new.append(.fault("f"))
        #expect(new.failure == nil && CycleRecorder.contents(in: run) == RecordEntry.fault("f").line)
        #expect(Files.text(of: "\(directory.path)/elsewhere") == "x")
    }

    @Test func `An entry that goes on with a torn record is a line of its own`() throws {
        let directory = try TemporaryDirectory()
        let run = try directory.makeRunDirectory()
        let start = recordBytes([.begin(), .starts("a"), .ends(), .hold(name: "db", hook: "", holder: Self.process)])
        let last: [RecordEntry] = [.starts("b"), .ends(137, "words"), .released(hold: "db"), .fault("torn")]
        for line in last.map(\.line) {
            // A line that lacks only its newline may count.
            for length in 1..<line.count - 1 {
                try Files.write(start + line[..<length], to: bytes("\(directory.path)/run/cycle"), mode: 0o600)
                let file = CycleRecorder(in: run, .existing)
                file.append(.starts("a", .thaw))
                file.append(.ends(1))
                let record = try #require(CycleRecorder.read(in: run))
                let torn = String(decoding: line[..<length], as: UTF8.self)
                #expect(record.runs.map(\.action) == [.freeze, .thaw], "\(torn)")
                #expect(record.runs.map { $0.end?.status } == [0, 1], "\(torn)")
                // Half a line must never count as a whole one.
                #expect(record.faults == [], "\(torn)")
                #expect(record.holds.map(\.ending) == [nil], "\(torn)")
            }
        }
    }

    @Test func `A record that cannot be written is removed: a list with a gap would leave hooks frozen`() async throws {
        // The limit belongs to a whole process, so the code runs in one of its own.
        await #expect(processExitsWith: .success) {
            let directory = try TemporaryDirectory()
            let run = try directory.makeRunDirectory()
            signal(SIGXFSZ, SIG_IGN)
            let file = CycleRecorder(in: run, .new)
            file.append(.begin())
            var limit = rlimit(rlim_cur: 100, rlim_max: 100)
            try succeed("setrlimit", setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit))
            for number in 0..<10 { file.append(.starts("\(number)-hook")) }
            limit = rlimit()
            #expect(file.failure != nil)
            #expect(CycleRecorder.contents(in: run) == nil)
        }
    }
}
