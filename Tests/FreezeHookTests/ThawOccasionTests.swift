// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import FreezeHook
@testable import FreezeHookBase

/// The decision of each occasion of a thaw.
@Suite struct ThawOccasionTests {
    /// The state of the run directory and of the machine.
    struct Found {
        var record: [RecordEntry]?
        var id = "cycle-1"
        var boot = KernelID.boot
        var agentIsFrozen = false
        var history: [String] = []

        static let nothing = Found()
        static let freezing = Found(record: [.reaches(.begun)])
        static let frozen = Found(record: [.reaches(.begun), .reaches(.frozen)])
        static let expired = Found(record: [.reaches(.begun), .reaches(.frozen), .reaches(.expired)])
        /// The record of a thaw without a freeze.
        static let bare = Found(record: [.reaches(.thawing)])

        func with(_ change: (inout Found) -> Void) -> Found {
            var found = self
            change(&found)
            return found
        }
    }

    /// An occasion, the state, and the target of the thaw.
    struct Case: CustomTestStringConvertible {
        var testDescription: String
        var occasion: ThawOccasion
        var found: Found
        var target: String

        init(_ description: String, _ occasion: ThawOccasion, _ found: Found, _ target: String) {
            testDescription = description
            self.occasion = occasion
            self.found = found
            self.target = target
        }
    }

    private static let ofAnotherBoot = Found.frozen.with { $0.boot = "another" }
    private static let ofAnotherCycle = Found.frozen.with { $0.id = "cycle-2" }
    private static let rehearsalEnd = ThawOccasion.rehearsalEnd(id: "cycle-1", fault: nil)
    private static let killedFreeze = ThawOccasion.killedFreeze(id: "cycle-1")
    private static let retry = ThawOccasion.retry(id: "cycle-1")
    private static let killed: [RecordEntry] = [.starts("a"), .ends(), .starts("a", .thaw), .isKilled]
    private static let ended: [RecordEntry] = [.reaches(.ended)]
    private static let expiry = ThawOccasion.expiry(id: "cycle-1", limit: .seconds(300))

    static let cases = [
        Case("a thaw thaws what is frozen", .thaw, .frozen, "cycle cycle-1"),
        Case("a thaw thaws what a killed freeze left", .thaw, .freezing, "cycle cycle-1"),
        Case("a thaw ends the cycle of a window that the guard has ended", .thaw, .expired, "cycle cycle-1"),
        Case("a thaw does so whatever qemu-ga says", .thaw, .frozen.with { $0.agentIsFrozen = true }, "cycle cycle-1"),
        Case("a thaw without a record calls every hook", .thaw, .nothing, "every hook"),
        Case("a thaw with a record of another boot calls every hook", .thaw, ofAnotherBoot, "every hook"),
        Case("a thaw after one that was killed without a cycle calls every hook", .thaw, .bare, "every hook"),

        Case("a rehearsal thaws its own cycle", rehearsalEnd, .frozen, "cycle cycle-1"),
        Case(
            "a rehearsal that somebody else has thawed is over", rehearsalEnd,
            .nothing.with { $0.history = ["cycle-1"] },
            "ended cycle-1"),
        Case(
            "a rehearsal that somebody else has thawed is over when another cycle is frozen", rehearsalEnd,
            ofAnotherCycle.with { $0.history = ["cycle-1"] }, "ended cycle-1"),
        Case("a rehearsal leaves another cycle alone", rehearsalEnd, ofAnotherCycle, "nothing"),
        Case("a rehearsal whose record is lost calls every hook", rehearsalEnd, .nothing, "lost rehearsal cycle-1"),

        Case("recover thaws a killed freeze", .recoverCommand, .freezing, "cycle cycle-1"),
        Case("recover thaws a frozen cycle", .recoverCommand, .frozen, "cycle cycle-1"),
        Case(
            "recover leaves a frozen cycle to qemu-ga", .recoverCommand, .frozen.with { $0.agentIsFrozen = true },
            "left alone cycle-1"),
        Case(
            "recover thaws a killed freeze whatever qemu-ga says", .recoverCommand,
            .freezing.with { $0.agentIsFrozen = true }, "cycle cycle-1"),
        Case("recover without a record does nothing", .recoverCommand, .nothing, "nothing"),
        Case("recover does nothing with a record of another boot", .recoverCommand, ofAnotherBoot, "nothing"),

        Case("the guard thaws its freeze that was killed", killedFreeze, .freezing, "cycle cycle-1"),
        Case("the guard of a killed freeze leaves another cycle alone", killedFreeze, ofAnotherCycle, "nothing"),
        Case("the guard of a killed freeze does nothing when all is thawed", killedFreeze, .nothing, "nothing"),

        Case("the guard ends the window at its limit", expiry, .frozen, "cycle cycle-1"),
        Case("the guard ends the window of a freeze that hangs", expiry, .freezing, "cycle cycle-1"),
        Case(
            "the guard ends the window although qemu-ga holds the filesystems", expiry,
            .frozen.with { $0.agentIsFrozen = true }, "cycle cycle-1"),
        Case("the guard ends a window once", expiry, .expired, "nothing"),
        Case(
            "the guard tries again what it could not thaw", expiry, .expired.with { $0.record? += killed },
            "cycle cycle-1"),
        Case("the guard leaves a cycle that has ended alone", expiry, .frozen.with { $0.record? += ended }, "nothing"),
        Case(
            "the guard tries again what a thaw has left", retry, .frozen.with { $0.record? += killed }, "cycle cycle-1"),
        Case("the guard tries nothing again when the cycle has ended", retry, .nothing, "nothing"),
        Case("the guard leaves what another cycle has left alone", retry, ofAnotherCycle, "nothing"),
        Case(
            "a thaw takes up what may still be held", .thaw, .frozen.with { $0.record? += killed + ended },
            "cycle cycle-1"),
        Case(
            "a thaw of a cycle that has ended calls every hook", .thaw, .frozen.with { $0.record? += ended },
            "every hook"),
        Case("who gives up thaws first", .giveUp, .frozen, "cycle cycle-1"),
        Case(
            "a rehearsal whose end is in the record, and not yet in the history, is over", rehearsalEnd,
            .frozen.with { $0.record? += ended }, "ended cycle-1"),
        Case("the guard leaves the window of another cycle alone", expiry, ofAnotherCycle, "nothing"),
        Case(
            "the guard leaves a thaw without a cycle alone", expiry, .bare.with { $0.id = "cycle-2" }, "nothing"),
        Case(
            "the guard does nothing when the cycle has ended", expiry, .nothing.with { $0.history = ["cycle-1"] },
            "nothing"),
        Case(
            "the guard calls every hook when the record is lost", expiry, .nothing.with { $0.history = ["cycle-0"] },
            "lost cycle cycle-1"),
    ]

    @Test(arguments: cases) func `An occasion thaws what is its own`(_ each: Case) throws {
        let found = each.found
        let record = found.record.flatMap {
            CycleRecord(parsing: recordBytes([.begin(found.id, boot: found.boot)] + $0))
        }
        let history = try found.history.map { try Cycles.cycle($0) }
        let target = each.occasion.target(record: record, agentIsFrozen: found.agentIsFrozen) { id in
            history.first { $0.id == id }
        }
        let text =
            switch target {
            case .cycle(let record): "cycle \(record.id)"
            case .everyHook: "every hook"
            case .lostCycle(let id, let kind): "lost \(kind.noun) \(id)"
            case .leftAlone(let id): "left alone \(id)"
            case .ended(let cycle): "ended \(cycle.id)"
            case .nothing: "nothing"
            }
        #expect(text == each.target)
    }

    @Test func `A freeze recovers the record that it has found, within the time that it gives`() throws {
        let deadline = MonotonicTime(nanoseconds: 5_000)
        let occasion = ThawOccasion.recovery(try recorded(.reaches(.begun), .reaches(.frozen)), until: deadline)
        guard case .cycle(let record) = occasion.target(record: nil, agentIsFrozen: true, history: { _ in nil }) else {
            Issue.record("no cycle")
            return
        }
        #expect(record.id == "cycle-1")
        let times = occasion.times(from: .now(), under: Settings())
        #expect(times.deadline == deadline && times.retryEnd == nil, "it tries each hook once")
        #expect(occasion.lock == .held && occasion.reason == .recover)
    }

    @Test func `Only a freeze has the lock already, and all others go on without it`() {
        let occasions = [
            ThawOccasion.thaw, .giveUp, .recoverCommand, Self.rehearsalEnd, Self.killedFreeze, Self.retry, Self.expiry,
        ]
        for occasion in occasions { #expect(occasion.lock == .wanted) }
    }

    @Test func `Only who gives up, and a freeze that goes on, end a cycle of which something may be held`() throws {
        let recovery = ThawOccasion.recovery(try recorded(.reaches(.begun)), until: .now())
        for occasion in [ThawOccasion.giveUp, recovery] { #expect(occasion.endsUnthawed) }
        for occasion in [
            ThawOccasion.thaw, .recoverCommand, Self.rehearsalEnd, Self.killedFreeze, Self.retry, Self.expiry,
        ] {
            #expect(!occasion.endsUnthawed)
        }
    }

    @Test func `Only the guard's limit leaves the cycle to a later thaw, and keeps off disk and journal`() {
        for occasion in [ThawOccasion.thaw, .recoverCommand, Self.rehearsalEnd, Self.killedFreeze] {
            #expect(occasion.endsCycle && !occasion.defersEvents && occasion.moment == .thawing)
        }
        #expect(!Self.expiry.endsCycle && Self.expiry.defersEvents && Self.expiry.moment == .expired)
    }

    @Test func `Hooks are told the reason, and have the time of a thaw`() {
        let reasons = [ThawOccasion.thaw, Self.rehearsalEnd, .recoverCommand, Self.killedFreeze, Self.expiry]
        #expect(reasons.map(\.reason) == [.thaw, .rehearsal, .recover, .recover, .expired])
        let begin = MonotonicTime(nanoseconds: 1_000)
        for occasion in reasons {
            let times = occasion.times(from: begin, under: Settings())
            #expect(times.retryEnd == begin + Settings().thawTimeout)
            #expect(times.deadline == nil, "each hook has its whole limit")
        }
    }
}
