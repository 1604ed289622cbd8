// SPDX-License-Identifier: Apache-2.0

import Glibc
import SystemPackage
import TestSupport
import Testing

@testable import FreezeHook
@testable import FreezeHookAdmin
@testable import FreezeHookBase
@testable import FreezeHookRecipes

/// The cycles that have ended.
@Suite struct HistoryTests {
    private func cycle(_ number: Int) throws -> CycleSummary {
        let lines = recordBytes([.begin("cycle-\(number)"), .reaches(.begun), .starts("a\nb"), .ends()])
        return CycleSummary(of: try #require(CycleRecord(parsing: lines)))
    }

    /// The ids of the whole lines of the file.
    private func ids(_ directory: TemporaryDirectory) -> [String] {
        let contents = Files.bytes(of: "\(directory.path)/state/history.jsonl") ?? []
        return contents.split(separator: 0x0a).compactMap {
            JSON(parsing: $0).flatMap(CycleSummary.init)?.id
        }
    }

    private func history(_ directory: TemporaryDirectory, limit: Int = 1000) -> History {
        History(directory: StateDirectory(path: directory.file("state")), limit: limit)
    }

    @Test func `The last cycle is told, and none when there is none`() throws {
        let directory = try TemporaryDirectory()
        let history = history(directory)
        #expect(history.lastBackup == nil)
        for number in 1...3 {
            try history.add(try cycle(number))
            #expect(try history.lastBackup == cycle(number))
        }
        #expect(ids(directory) == ["cycle-1", "cycle-2", "cycle-3"])
        #expect(Files.mode(of: "\(directory.path)/state").map { $0 & 0o7777 } == 0o700)
        #expect(Files.mode(of: "\(directory.path)/state/history.jsonl").map { $0 & 0o7777 } == 0o600)
    }

    @Test(arguments: [1, 2, 3, 10])
    func `At least the limit is kept, at most twice of it, in order`(limit: Int) throws {
        let directory = try TemporaryDirectory()
        let history = history(directory, limit: limit)
        for number in 1...5 * limit {
            try history.add(try cycle(number))
            let ids = ids(directory)
            #expect(ids.count >= min(limit, number) && ids.count <= 2 * limit)
            #expect(ids == (number - ids.count + 1...number).map { "cycle-\($0)" })
            #expect(history.lastBackup?.id == "cycle-\(number)")
        }
        #expect(try Files.names(in: "\(directory.path)/state") == ["history.jsonl"])
    }

    @Test func `The highest limit keeps everything`() async throws {
        let directory = try TemporaryDirectory()
        // An overflow traps, so the code runs in a process of its own.
        await #expect(processExitsWith: .success) { [path = directory.path as String] in
            let history = History(directory: StateDirectory(path: FilePath("\(path)/state")), limit: .max)
            let cycle = CycleSummary(of: try recorded(.reaches(.begun)))
            for _ in 0..<3 { try history.add(cycle) }
            #expect(history.lastBackup == cycle)
        }
    }

    @Test func `A torn last line is passed over, and the next one is not spoilt by it`() throws {
        let directory = try TemporaryDirectory()
        let history = history(directory)
        let path = "\(directory.path)/state/history.jsonl"
        for number in 1...2 { try history.add(try cycle(number)) }
        let whole = try #require(Files.bytes(of: path))
        let first = try #require(whole.firstIndex(of: 0x0a)) + 1
        let lengths = Array(stride(from: first, to: whole.count - 1, by: 7)) + [whole.count - 2]
        for length in lengths {
            try Files.write(whole[..<length], to: bytes(path))
            #expect(history.lastBackup?.id == "cycle-1", "torn after \(length) bytes")
            try history.add(try cycle(3))
            #expect(history.lastBackup?.id == "cycle-3")
            #expect(ids(directory) == ["cycle-1", "cycle-3"], "torn after \(length) bytes")
        }
    }

    @Test func `A line whose newline alone is missing counts`() throws {
        let directory = try TemporaryDirectory()
        let history = history(directory)
        let path = "\(directory.path)/state/history.jsonl"
        try history.add(try cycle(1))
        try Files.write(try #require(Files.bytes(of: path)).dropLast(), to: bytes(path))
        #expect(history.lastBackup?.id == "cycle-1")
        try history.add(try cycle(2))
        #expect(ids(directory) == ["cycle-1", "cycle-2"])
    }

    @Test func `What is no cycle is passed over`() throws {
        let directory = try TemporaryDirectory()
        let history = history(directory)
        try history.add(try cycle(1))
        let path = "\(directory.path)/state/history.jsonl"
        let whole = try #require(Files.bytes(of: path))
        try Files.write(whole + bytes("\n\n{}\n[]\nnull\n\u{0}\n"), to: bytes(path))
        #expect(history.lastBackup?.id == "cycle-1")
    }

    @Test func `A history that somebody else could have written is not read`() throws {
        let place = try TemporaryDirectory()
        let directory = StateDirectory(path: FilePath(place.path))
        let history = History(directory: directory, limit: 10)
        try history.add(try Cycles.cycle("a"))
        #expect(try history.cycles().count == 1)
        for name in ["history.jsonl", "image"] { try Files.write("x\n", to: "\(place.path)/\(name)", mode: 0o646) }
        #expect(throws: Errno.notPermitted) { try history.cycles() }
        #expect(history.lastBackup == nil && directory.read("image") == nil)
        chmod("\(place.path)/image", 0o600)
        #expect(directory.read("image") == bytes("x\n"))
        try giveAway(place.file("image"), user: stranger)
        #expect(directory.read("image") == nil)
    }

    @Test func `A directory or a file that cannot be written is an error`() throws {
        let directory = try TemporaryDirectory()
        try directory.makeFile("state", "x")
        let history = history(directory)
        let cycle = try cycle(1)
        #expect(throws: Errno.notDirectory) { try history.add(cycle) }
        #expect(history.lastBackup == nil)
        unlink("\(directory.path)/state")
        try directory.makeDirectory("state")
        try directory.makeFile("elsewhere", "x")
        try directory.makeLink("state/history.jsonl", to: "../elsewhere")
        #expect(throws: Errno.tooManySymbolicLinkLevels) { try history.add(cycle) }
        #expect(Files.text(of: "\(directory.path)/elsewhere") == "x")
        unlink("\(directory.path)/state/history.jsonl")
        try directory.makeFIFO("state/history.jsonl")
        #expect(throws: Errno.noSuchAddressOrDevice) { try history.add(cycle) }
    }
}
