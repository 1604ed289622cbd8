// SPDX-License-Identifier: Apache-2.0

import SystemPackage
import TestSupport
import Testing

@testable import FreezeHook
@testable import FreezeHookBase

/// The hooks that a thaw calls, in their order.
@Suite struct ThawedHooksTests {
    private let place: TemporaryDirectory
    private let hooks: HookDirectory

    /// A directory with three hooks, one that is masked and one that somebody else could have written.
    init() throws {
        place = try TemporaryDirectory()
        try place.makeDirectory("d")
        for name in ["10-a", "20-b", "30-c"] { try place.makeFile("d/\(name)") }
        try place.makeFile("d/40-masked", "")
        try place.makeFile("d/50-open", mode: 0o757)
        hooks = HookDirectory(path: place.file("d"), settings: Settings())
    }

    private func record(frozen names: [String], thawed: [String] = []) throws
        -> CycleRecord
    {
        func run(_ name: String, _ action: HookAction) -> [RecordEntry] {
            let path = place.file("d/\(name)")
            let start = RecordEntry.start(
                action: action, reason: .freeze, path: path, guarantee: nil, time: .at(0))
            return [start, .ends()]
        }
        let entries = names.flatMap { run($0, .freeze) } + thawed.flatMap { run($0, .thaw) }
        return try #require(CycleRecord(parsing: recordBytes([.begin()] + entries)))
    }

    @Test(arguments: [(ThawOrder.reverse, ["30-c", "10-a"]), (.forward, ["10-a", "30-c"])])
    func `Those that were frozen and no others, in the order of the settings`(order: ThawOrder, names: [String]) throws
    {
        let record = try record(frozen: ["10-a", "30-c"])
        #expect(hooks.entriesToThaw(record.hooksToThaw, order).map(\.hook.name) == names)
    }

    @Test func `Those that are thawed already are not called again`() throws {
        let record = try record(frozen: ["10-a", "20-b", "30-c"], thawed: ["30-c"])
        #expect(hooks.entriesToThaw(record.hooksToThaw, .reverse).map(\.hook.name) == ["20-b", "10-a"])
    }

    @Test func `One that is gone or masked since the freeze is called all the same`() throws {
        let entries = hooks.entriesToThaw(
            try record(frozen: ["05-gone", "40-masked", "10-a"]).hooksToThaw, .forward)
        #expect(entries.map(\.hook.name) == ["05-gone", "40-masked", "10-a"])
    }

    @Test(arguments: [
        (ThawOrder.reverse, ["50-open", "30-c", "20-b", "10-a"]), (.forward, ["10-a", "20-b", "30-c", "50-open"]),
    ])
    func `Without a record every hook, and one that is refused, which counts as a failure`(
        order: ThawOrder, names: [String]
    ) throws {
        #expect(hooks.entriesToThaw(nil, order).map(\.hook.name) == names)
    }

    @Test func `A directory that cannot be read has nothing to thaw`() throws {
        let missing = HookDirectory(path: place.file("missing"), settings: Settings())
        #expect(missing.entriesToThaw(nil, .reverse) == [])
    }

    @Test(arguments: FailurePolicy.allCases, ThawFailurePolicy.allCases)
    func `A failed thaw shows only where the settings say so twice`(
        policy: FailurePolicy, thawFailure: ThawFailurePolicy
    ) {
        var settings = Settings()
        settings.onFailure = policy
        settings.thawFailure = thawFailure
        let shows = policy == .abort && thawFailure == .report
        #expect(ThawError.ofHooks(1, of: 3, under: settings) == (shows ? .hooksFailed(1, of: 3) : nil))
        #expect(ThawError.ofHooks(0, of: 3, under: settings) == nil)
    }
}
