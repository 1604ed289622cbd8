import Glibc
import TestSupport
import Testing

/// Long random sequences of everything that can happen to a window.
@Suite struct PropertyTests {
    /// What can happen next.
    private enum Event: CaseIterable {
        case freeze, thaw, recover, killedFreeze, killedThaw, killGuard, killHolder, killClient, wait
    }

    static let seeds = (0..<16).map { _ in UInt64.random(in: 0..<1_000_000) }

    @Test(arguments: seeds) func `After a final thaw nothing is frozen and nothing of ours runs`(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        let sandbox = try Sandbox()
        let limit = Bool.random(using: &random) ? "100ms" : "5min"
        try sandbox.configure("kill-grace = 200ms\nhold-limit = \(limit)")
        try sandbox.addTracingHook("10-a")
        try sandbox.addHoldingHook("20-db", session: "db")
        try sandbox.addTracingHook("30-c", then: "[ $1 = thaw ] || sleep 0.02")
        var events: [Event] = []
        for _ in 0..<12 {
            let event = Event.allCases.randomElement(using: &random) ?? .thaw
            events.append(event)
            try perform(event, sandbox, &random)
        }
        #expect(try sandbox.thaw().status == 0)
        let comment = Comment(rawValue: "\(events)\n\(sandbox.trace)\n\(sandbox.log)")
        #expect(faults(of: sandbox.trace) == [], comment)
        sandbox.expectNothingLeft()
    }

    private func perform(_ event: Event, _ sandbox: Sandbox, _ random: inout SeededRandom) throws {
        switch event {
        case .freeze: #expect(try sandbox.freeze().status == 0)
        case .thaw: #expect(try sandbox.thaw().status == 0)
        case .recover: #expect(try sandbox.run(["recover"]).status == 0)
        case .killedFreeze: try killed("freeze", sandbox, &random)
        case .killedThaw: try killed("thaw", sandbox, &random)
        case .killGuard: sandbox.parts("guard").forEach(sandbox.destroy)
        case .killHolder: sandbox.parts("holder").forEach(sandbox.destroy)
        case .killClient:
            let clients = sandbox.processes().filter { Processes.commandLine(of: $0) == "sh " && getsid($0) == $0 }
            clients.forEach(sandbox.destroy)
        case .wait: usleep(.random(in: 0...150_000, using: &random))
        }
    }

    private func killed(_ action: String, _ sandbox: Sandbox, _ random: inout SeededRandom) throws {
        let call = try sandbox.start([action])
        usleep(.random(in: 0...120_000, using: &random))
        call.kill(SIGKILL)
        _ = try call.wait()
    }

    /// The hooks whose last freeze no thaw has followed, and freezes of a hook that was frozen still.
    private func faults(of trace: [String]) -> [String] {
        var frozen: Set<Substring> = []
        var faults: [String] = []
        for (index, line) in trace.enumerated() {
            let words = line.split(separator: " ")
            if words[1] == "thaw" {
                frozen.remove(words[0])
            } else if !frozen.insert(words[0]).inserted {
                faults.append("\(index): \(words[0]) is frozen twice")
            }
        }
        return faults + frozen.map { "\($0) stays frozen" }
    }
}
