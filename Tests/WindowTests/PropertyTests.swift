// SPDX-License-Identifier: Apache-2.0

import Glibc
import TestSupport
import Testing

/// Long random sequences of everything that can happen to a window.
///
/// Each sequence prints its seed. `FSFREEZE_TEST_SEED=N` repeats the events of one; their timing does not repeat, so
/// that a failure may take some runs to come again.
@Suite struct PropertyTests {
    static let seeds: [UInt64] = {
        if let text = getenv("FSFREEZE_TEST_SEED").map({ String(cString: $0) }) { return [UInt64(text) ?? 0] }
        return (0..<8).map { _ in UInt64.random(in: 0..<1_000_000) }
    }()

    @Test(arguments: seeds) func `After a final thaw all is thawed and nothing of ours is left`(seed: UInt64) throws {
        print("PropertyTests: FSFREEZE_TEST_SEED=\(seed)")
        let sequence = try RandomSequence(seed: seed)
        for _ in 0..<40 { try sequence.next() }
        try sequence.finish()
    }
}

/// One machine with random events.
private final class RandomSequence {
    private enum Event: CaseIterable {
        case freeze, thaw, recover, rehearse, status, wait
        case killRunner, killBeside, killAtRest, stopFreeze, together
        case turnAgent, turnFailure
    }

    private let sandbox: Sandbox
    private let seed: UInt64
    private var random: SeededRandom
    private let expires: Bool
    private var events: [String] = []
    private var killed: Set<String> = []
    /// The cycle that is frozen and to which nothing has happened since, if it must be consistent.
    private var untouched: String?
    /// The cycles that cannot be consistent, and why.
    private var damaged: [String: String] = [:]

    init(seed: UInt64) throws {
        self.seed = seed
        random = SeededRandom(seed: seed)
        sandbox = try Sandbox()
        expires = Bool.random(using: &random)
        let policy = Bool.random(using: &random) ? "abort" : "continue"
        try sandbox.configure(
            "kill-grace = 200ms\nhold-limit = \(expires ? "100ms" : "5min")\non-failure = \(policy)")
        let path = sandbox.path
        try sandbox.addHook("10-a", CallTrace.script(in: path, header: "# fsfreeze-hook: prepare = yes"))
        try sandbox.addHook("20-db", CallTrace.script(in: path, doing: sandbox.holding("db")))
        try sandbox.addHook("30-slow", CallTrace.script(in: path, doing: "[ $1 = thaw ] || sleep 0.02"))
        // A thaw that waits for a frozen disk fails when the guard calls it.
        let fails = "[ $FSFREEZE_REASON != expired ] || ! [ -e \(path)/fails ]"
        try sandbox.addHook("40-fails", CallTrace.script(in: path, doing: fails))
    }

    /// Makes one random event.
    func next() throws {
        let event = Event.allCases.randomElement(using: &random) ?? .thaw
        events.append("\(event)")
        let before = untouched
        untouched = nil
        switch event {
        case .freeze:
            let agentIsFrozen = Files.exists(sandbox.agentState)
            let status = try sandbox.freeze().status
            expect(status == 0 || status == 75 && agentIsFrozen, "freeze: \(status ?? -1)")
            if status == 0 && !expires {
                untouched = sandbox.cycle
                expect(untouched != nil && sandbox.isLocked("db"), "not frozen after a freeze")
            }
        case .thaw:
            expect(try sandbox.thaw().status == 0, "thaw")
            if let before {
                expect(summary(of: before)?.contains(": application-consistent, as far as ") == true, "\(before)")
            }
        case .recover:
            expect(try sandbox.run(["recover"]).status == 0, "recover")
        case .rehearse:
            let status = try sandbox.run(Self.rehearsal).status
            // `recover` never touches an open cycle.
            expect(before == nil ? [0, 2, 75].contains(status) : status == 75, "rehearse: \(status ?? -1)")
            untouched = before
        case .status:
            expect([0, 2].contains(try sandbox.run(["status"]).status), "status")
            untouched = before
        case .wait:
            usleep(.random(in: 0...150_000, using: &random))
            untouched = before
        case .killRunner:
            let call = try startSomething()
            usleep(.random(in: 0...120_000, using: &random))
            killed.insert("\(call.pid)")
            call.kill(SIGKILL)
            _ = try call.wait()
        case .killBeside:
            let call = try startSomething()
            usleep(.random(in: 0...100_000, using: &random))
            killOne(isAtRest: false)
            _ = try call.wait()
        case .killAtRest:
            killOne(isAtRest: true)
        case .stopFreeze:
            let call = try sandbox.start(["freeze"])
            usleep(.random(in: 0...100_000, using: &random))
            call.kill(SIGTERM)
            let result = try call.wait()
            // A program that does not yet read signals is ended by them.
            expect(
                result.signal == SIGTERM || [0, 1, 75].contains(result.status), "freeze that was stopped: \(result)")
        case .together:
            let calls = try (0..<3).map { _ in try startSomething() }
            // 2 is the status of a rehearsal that a backup has ended.
            for call in calls { expect([0, 2, 75].contains(try call.wait().status), "together") }
        case .turnAgent:
            try turn(sandbox.agentState)
        case .turnFailure:
            try turn("\(sandbox.path)/fails")
        }
    }

    /// The final thaw, and the conditions after it.
    func finish() throws {
        unlink(sandbox.agentState)
        expect(try sandbox.thaw().status == 0, "the final thaw")
        sandbox.expectNothingLeft()
        let faults = CallTrace(in: sandbox.path).faults(killed: killed)
        expect(faults.isEmpty, "\(faults)")
        for (cycle, reason) in damaged {
            let isPraised = summary(of: cycle)?.contains(": application-consistent") == true
            expect(!isPraised, "\(cycle) is called consistent although \(reason)")
        }
        expect(!sandbox.log.contains("finished with status=9"), "a lock was left of an earlier session")
        expect(try sandbox.statusObject()["state"] as? String == "thawed", "the final status")
    }

    private func startSomething() throws -> ChildProcess {
        let calls = [["freeze"], ["thaw"], ["recover"], Self.rehearsal]
        return try sandbox.start(calls.randomElement(using: &random) ?? ["thaw"])
    }

    private static let rehearsal = ["rehearse", "--hold", "60ms"]

    private func killOne(isAtRest: Bool) {
        let part = ["guard", "holder", "client"].randomElement(using: &random) ?? "guard"
        let cycle = sandbox.cycle
        let victims = part == "client" ? sandbox.clients : sandbox.parts(part)
        for victim in victims {
            events.append("\(part) \(victim)")
            killed.insert("\(victim)")
            // No release can have come between at rest: the session of this cycle is lost.
            if isAtRest, !expires, part != "guard", let cycle { damaged[cycle] = "its \(part) was killed" }
            sandbox.destroy(victim)
        }
    }

    private func turn(_ file: String) throws {
        if unlink(file) != 0 { try Files.write("", to: file) }
    }

    /// The line on the end of the cycle.
    private func summary(of cycle: String) -> String? {
        sandbox.messages.last { $0.hasPrefix("thawed: ") && $0.contains("(cycle \(cycle))") }
    }

    private func expect(_ condition: Bool, _ what: String, sourceLocation: SourceLocation = #_sourceLocation) {
        let story = "seed \(seed): \(what)\n\(events)\n\(Files.text(of: "\(sandbox.path)/calls"))\n\(sandbox.log)"
        #expect(condition, Comment(rawValue: condition ? what : story), sourceLocation: sourceLocation)
    }
}
