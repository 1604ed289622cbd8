import FreezeHookBase
import SystemPackage

/// What only ever grows, over all cycles of this machine. Kept in a file of its own: the history is pruned, and the metrics
/// file may be moved or removed.
struct CycleCounters: Codable, Equatable {
    /// A cycle as far as something else than its line in the history has to tell of it.
    struct Mark: Codable, Equatable {
        var started: String
        var verdict: String
    }

    /// Cycles by verdict, without rehearsals.
    private(set) var cycles: [String: Int] = [:]
    /// Windows that the guard ended, without those of rehearsals.
    private(set) var expiries = 0
    /// Freezes that were rolled back, without those of rehearsals.
    private(set) var rollbacks = 0
    /// Rehearsals by verdict.
    private(set) var rehearsals: [String: Int] = [:]
    /// When the last cycle of each verdict began, without rehearsals.
    private(set) var lastStarted: [String: String] = [:]
    private(set) var lastRehearsal: Mark?

    private static let name = "counters.json"

    init() {}

    /// The counters of a state directory. Where there are none, or none that can be read, they begin with the cycles that
    /// the history has.
    static func read(from directory: StateDirectory, orCount history: History) -> CycleCounters {
        if let bytes = directory.read(name), let counters = JSONText.value(of: CycleCounters.self, in: bytes) {
            return counters
        }
        var counters = CycleCounters()
        for cycle in (try? history.cycles()) ?? [] { counters.count(cycle) }
        return counters
    }

    /// Throws what the kernel said.
    func write(to directory: StateDirectory) throws(Errno) {
        // Texts and numbers always encode.
        let text = (try? JSONText.line(of: self)) ?? ""
        try directory.replace(Self.name, with: Array(text.utf8) + [UInt8(ascii: "\n")])
    }

    /// Counts a cycle that has ended.
    mutating func count(_ cycle: CycleSummary) {
        if cycle.isRehearsal {
            rehearsals[cycle.verdict, default: 0] += 1
            lastRehearsal = Mark(started: cycle.started, verdict: cycle.verdict)
            return
        }
        cycles[cycle.verdict, default: 0] += 1
        lastStarted[cycle.verdict] = cycle.started
        if cycle.expired == true { expiries += 1 }
        if cycle.reason == RunReason.rollback.rawValue { rollbacks += 1 }
    }
}
