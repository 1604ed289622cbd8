// SPDX-License-Identifier: Apache-2.0

import FreezeHookBase
import SystemPackage

/// The counters over all cycles of this machine, in a file of their own: the history is pruned, and the metrics file
/// may be moved or removed.
struct CycleCounters: Equatable {
    /// The start and the verdict of a cycle.
    struct Mark: Equatable {
        var started: KeptTime
        var verdict: Word<Guarantee>
    }

    /// Cycles by verdict, without rehearsals.
    private(set) var cycles: [Word<Guarantee>: Int] = [:]
    /// Windows that the guard ended, without those of rehearsals.
    private(set) var expiries = 0
    /// Freezes that were rolled back, without those of rehearsals.
    private(set) var rollbacks = 0
    /// Rehearsals by verdict.
    private(set) var rehearsals: [Word<Guarantee>: Int] = [:]
    /// The start of the last cycle of each verdict, without rehearsals.
    private(set) var lastStarted: [Word<Guarantee>: KeptTime] = [:]
    /// The last rehearsal; nil when there was none.
    private(set) var lastRehearsal: Mark?

    private static let name = "counters.json"

    init() {}

    /// The counters of a state directory; without a readable file they begin with the cycles of the history.
    static func read(from directory: StateDirectory, orCount history: History) -> CycleCounters {
        if let bytes = directory.read(name), let counters = JSON(parsing: bytes).flatMap(CycleCounters.init) {
            return counters
        }
        var counters = CycleCounters()
        for cycle in (try? history.cycles()) ?? [] { counters.count(cycle) }
        return counters
    }

    /// Writes the file. Throws the kernel's errno.
    func write(to directory: StateDirectory) throws(Errno) {
        try directory.replace(Self.name, with: Array("\(json.text)\n".utf8))
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
        if cycle.expired { expiries += 1 }
        if cycle.reason == .rollback { rollbacks += 1 }
    }
}

// MARK: - The file

extension CycleCounters {
    private enum Key {
        static let cycles = "cycles"
        static let expiries = "expiries"
        static let rollbacks = "rollbacks"
        static let rehearsals = "rehearsals"
        static let lastStarted = "last_started"
        static let lastRehearsal = "last_rehearsal"
        static let started = "started"
        static let verdict = "verdict"
    }

    /// The counters as an object.
    var json: JSON {
        JSON(fields: [
            Key.cycles: Self.object(cycles) { .integer(Int64($0)) }, Key.expiries: .integer(Int64(expiries)),
            Key.rollbacks: .integer(Int64(rollbacks)),
            Key.rehearsals: Self.object(rehearsals) { .integer(Int64($0)) },
            Key.lastStarted: Self.object(lastStarted) { .string($0.text) },
            Key.lastRehearsal: lastRehearsal.map {
                JSON(fields: [Key.started: .string($0.started.text), Key.verdict: .string($0.verdict.text)])
            },
        ])
    }

    /// The counters of an object; nil when one of them is missing.
    init?(_ json: JSON) {
        guard let cycles = Self.values(json[Key.cycles], \.count), let expiries = json[Key.expiries]?.count,
            let rollbacks = json[Key.rollbacks]?.count, let rehearsals = Self.values(json[Key.rehearsals], \.count),
            let lastStarted = Self.values(json[Key.lastStarted], { $0.string.map { KeptTime(text: $0) } })
        else { return nil }
        self.cycles = cycles
        self.expiries = expiries
        self.rollbacks = rollbacks
        self.rehearsals = rehearsals
        self.lastStarted = lastStarted
        guard let mark = json[Key.lastRehearsal] else { return }
        guard let started = mark[Key.started]?.string, let verdict = mark[Key.verdict]?.string else { return nil }
        lastRehearsal = Mark(started: KeptTime(text: started), verdict: Word(text: verdict))
    }

    private static func object<Value>(_ values: [Word<Guarantee>: Value], _ json: (Value) -> JSON) -> JSON {
        .object(Dictionary(uniqueKeysWithValues: values.map { ($0.key.text, json($0.value)) }))
    }

    /// The values by verdict; nil when one of them has another type.
    private static func values<Value>(_ json: JSON?, _ value: (JSON) -> Value?) -> [Word<Guarantee>: Value]? {
        guard let object = json?.object else { return nil }
        var values: [Word<Guarantee>: Value] = [:]
        for (key, json) in object {
            guard let value = value(json) else { return nil }
            values[Word(text: key)] = value
        }
        return values
    }
}

extension JSON {
    /// A counter: a number from 0 to one below the largest, so that it can be counted up; nil for any other value.
    fileprivate var count: Int? {
        integer.flatMap { $0 >= 0 && $0 < Int64.max ? Int($0) : nil }
    }
}
