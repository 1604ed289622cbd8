// SPDX-License-Identifier: Apache-2.0

import FreezeHookBase
import SystemPackage

/// The cycles that have ended, one JSON object a line, the oldest first.
package struct History {
    private static let name = "history.jsonl"
    private let directory: StateDirectory
    private let limit: Int

    /// The history in a state directory; it keeps at least `limit` cycles.
    package init(directory: StateDirectory, limit: Int) {
        self.directory = directory
        self.limit = limit
    }

    /// Adds a cycle. Throws the kernel's errno.
    func add(_ cycle: CycleSummary) throws(Errno) {
        let line = Array("\(cycle.json.text)\n".utf8)
        let contents = directory.read(Self.name) ?? []
        let lines = contents.split(separator: UInt8(ascii: "\n"))
        // A torn last line gets an end of its own, so that it cannot spoil this one.
        let separator: [UInt8] = contents.isEmpty || contents.last == UInt8(ascii: "\n") ? [] : [UInt8(ascii: "\n")]
        let addition = separator + line
        // A rewrite is rare: the older half goes when twice the limit is kept.
        if lines.count / 2 < limit { return try directory.append(addition, to: Self.name) }
        let kept = Array(lines.suffix(limit - 1).joined(separator: [UInt8(ascii: "\n")]))
        try directory.replace(Self.name, with: kept + [UInt8(ascii: "\n")] + line)
    }

    /// The last cycle that was no rehearsal; nil when there is none. Torn lines are skipped.
    package var lastBackup: CycleSummary? { newestFirst.first { !$0.isRehearsal } }

    /// The last cycle that was no rehearsal and has a verdict no worse than `guarantee`.
    package func lastBackup(atLeast guarantee: Guarantee) -> CycleSummary? {
        newestFirst.first { !$0.isRehearsal && $0.verdict.isAtLeast(guarantee) }
    }

    /// The last cycle that was no rehearsal, and the last rehearsal after it. Throws the kernel's errno when there is a
    /// history that cannot be read.
    package func newest() throws(Errno) -> (backup: CycleSummary?, laterRehearsal: CycleSummary?) {
        let lines = Self.lines(of: try directory.contents(of: Self.name) ?? [])
        var rehearsal: CycleSummary?
        for cycle in lines.reversed().lazy.compactMap(Self.cycle) {
            if !cycle.isRehearsal { return (cycle, rehearsal) }
            rehearsal = rehearsal ?? cycle
        }
        return (nil, rehearsal)
    }

    /// The cycle of this id; nil when the history does not have it.
    package func cycle(_ id: String) -> CycleSummary? { newestFirst.first { $0.id == id } }

    /// All cycles of the history, the oldest first; none without a file. Throws the kernel's errno when there is a file
    /// that cannot be read.
    package func cycles() throws(Errno) -> [CycleSummary] {
        Self.lines(of: try directory.contents(of: Self.name) ?? []).compactMap(Self.cycle)
    }

    /// The cycles from the last to the first, parsed one by one: mostly the last is enough.
    private var newestFirst: some Sequence<CycleSummary> {
        Self.lines(of: directory.read(Self.name) ?? []).reversed().lazy.compactMap(Self.cycle)
    }

    private static func lines(of contents: [UInt8]) -> [ArraySlice<UInt8>] {
        contents.split(separator: UInt8(ascii: "\n"))
    }

    private static func cycle(of line: ArraySlice<UInt8>) -> CycleSummary? {
        JSON(parsing: line).flatMap(CycleSummary.init)
    }
}
