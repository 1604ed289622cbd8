import FoundationEssentials
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

    /// Adds a cycle. Throws what the kernel said.
    func add(_ cycle: CycleSummary) throws(Errno) {
        // Keys and numbers always encode; an empty line would be passed over by `read`.
        let line = (try? JSONText.line(of: cycle)) ?? ""
        let contents = directory.read(Self.name) ?? []
        let lines = contents.split(separator: UInt8(ascii: "\n"))
        // A torn last line gets an end of its own, so that it cannot spoil this one.
        let separator: [UInt8] = contents.isEmpty || contents.last == UInt8(ascii: "\n") ? [] : [UInt8(ascii: "\n")]
        let addition = separator + Array(line.utf8) + [UInt8(ascii: "\n")]
        // Rewritten only now and then: twice the limit is kept before the older half goes.
        if lines.count / 2 < limit { return try directory.append(addition, to: Self.name) }
        let kept = Array(lines.suffix(limit - 1).joined(separator: [UInt8(ascii: "\n")]))
        try directory.replace(Self.name, with: kept + [UInt8(ascii: "\n")] + Array(line.utf8) + [UInt8(ascii: "\n")])
    }

    /// The last cycle, or nil when there is none. A torn line is passed over.
    package var last: CycleSummary? {
        let lines = (directory.read(Self.name) ?? []).split(separator: UInt8(ascii: "\n"))
        return lines.reversed().lazy.compactMap { JSONText.value(of: CycleSummary.self, in: Array($0)) }.first
    }
}
