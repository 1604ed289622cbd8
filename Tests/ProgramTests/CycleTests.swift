// SPDX-License-Identifier: Apache-2.0

import TestSupport
import Testing

/// Freezes and thaws that come in another number or order than expected.
@Suite struct CycleTests {
    private func sandbox(_ names: [String] = ["10-a", "20-b"]) throws -> Sandbox {
        let sandbox = try Sandbox()
        for name in names { try sandbox.addTracingHook(name) }
        return sandbox
    }

    @Test func `A cycle leaves nothing behind`() throws {
        let sandbox = try sandbox()
        try sandbox.expectFreeze()
        #expect(Files.mode(of: sandbox.runDirectory) == 0o040700)
        try sandbox.expectThaw()
        #expect(sandbox.isQuiet())
        #expect(try Files.names(in: sandbox.runDirectory) == [])
    }

    @Test func `Freeze and thaw of a cycle bear one id`() throws {
        let sandbox = try sandbox()
        try sandbox.expectFreeze()
        try sandbox.expectThaw()
        let id = try #require(sandbox.cycle("frozen: "))
        #expect(sandbox.cycle("thawed: ") == id)
        #expect(id.split(separator: "-").map(\.count) == [8, 4, 4, 4, 12])
    }

    @Test func `A thaw without a freeze calls every hook in reverse and is no failure`() throws {
        let sandbox = try sandbox()
        try sandbox.configure("on-failure = abort")
        for _ in 0..<3 {
            sandbox.clearTrace()
            try sandbox.expectThaw()
            #expect(sandbox.trace == ["20-b thaw thaw", "10-a thaw thaw"])
            #expect(sandbox.cycle("thawed: ") == nil)
        }
    }

    @Test func `A second thaw is no failure`() throws {
        let sandbox = try sandbox()
        try sandbox.expectFreeze()
        for _ in 0..<3 { try sandbox.expectThaw() }
        #expect(sandbox.trace.count { $0 == "10-a thaw thaw" } == 3)
    }

    @Test func `A freeze after a freeze thaws the first one before`() throws {
        let sandbox = try sandbox()
        try sandbox.expectFreeze()
        let first = try #require(sandbox.cycle("frozen: "))
        try sandbox.expectFreeze()
        #expect(
            sandbox.trace == [
                "10-a freeze freeze", "20-b freeze freeze", "20-b thaw recover", "10-a thaw recover",
                "10-a freeze freeze", "20-b freeze freeze",
            ])
        #expect(sandbox.messages.contains { $0.contains("unfinished cycle \(first)") })
        try sandbox.expectThaw()
        #expect(sandbox.trace.suffix(2) == ["20-b thaw thaw", "10-a thaw thaw"])
        #expect(sandbox.cycle("thawed: ") == sandbox.cycle("frozen: "))
        #expect(sandbox.cycle("thawed: ") != first)
    }

    @Test func `A freeze is refused while qemu-ga holds the filesystems of a cycle`() throws {
        let sandbox = try sandbox()
        try sandbox.expectFreeze()
        try Files.write("", to: sandbox.agentState)
        let before = sandbox.trace
        let result = try sandbox.freeze()
        #expect(result.status == 75)
        #expect(result.stdout == "")
        #expect(result.stderr.hasPrefix("fsfreeze-hook: "))
        #expect(sandbox.trace == before)
        // The refusal has not touched the cycle.
        try sandbox.expectThaw()
        #expect(sandbox.trace.suffix(2) == ["20-b thaw thaw", "10-a thaw thaw"])
        try sandbox.expectFreeze()
    }

    @Test func `The thaw knows what was frozen, whatever has become of the directory`() throws {
        let sandbox = try sandbox()
        try sandbox.expectFreeze()
        for name in ["05-new", "99-new"] { try sandbox.addTracingHook(name) }
        sandbox.clearTrace()
        try sandbox.expectThaw()
        #expect(sandbox.trace == ["20-b thaw thaw", "10-a thaw thaw"])
    }

    @Test func `A configuration that breaks in the window does not change what is thawed`() throws {
        let sandbox = try sandbox()
        try sandbox.expectFreeze()
        sandbox.clearTrace()
        try sandbox.configure("nonsense")
        expectSilentSuccess(
            try sandbox.run(["thaw"], through: PrivateMounts.prefix(PrivateMounts.emptyRun)))
        #expect(sandbox.trace == ["20-b thaw thaw", "10-a thaw thaw"])
        #expect(sandbox.cycle("thawed: ") == sandbox.cycle("frozen: "))
    }

    @Test(arguments: 0..<6)
    func `Garbage in the run directory keeps nothing locked`(seed: UInt64) throws {
        let sandbox = try sandbox()
        try sandbox.expectFreeze()
        var random = SeededRandom(seed: seed)
        for name in try Files.names(in: sandbox.runDirectory) {
            let path = "\(sandbox.runDirectory)/\(name)"
            // open(2) fails for a socket.
            guard let bytes = Files.bytes(of: path) else { continue }
            let garbage = (0..<bytes.count).map { _ in UInt8.random(in: 0...255, using: &random) }
            let kept = Int.random(in: 0...1, using: &random) == 0 ? 0 : Int.random(in: 0..<20, using: &random)
            try Files.write(bytes.prefix(kept) + garbage.dropFirst(kept), to: path.utf8)
        }
        sandbox.clearTrace()
        try sandbox.expectThaw()
        #expect(sandbox.trace == ["20-b thaw thaw", "10-a thaw thaw"])
        try sandbox.expectFreeze()
        try sandbox.expectThaw()
    }
}
