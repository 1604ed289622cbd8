// SPDX-License-Identifier: Apache-2.0

/// The differences between two lists of lines, as `diff -u` writes them.
package enum UnifiedDiff {
    // `diff -u` shows three lines around a change.
    private static let context = 3

    /// One line of a diff.
    package enum Line: Equatable, Sendable {
        /// The head with the old file's name.
        case old(name: String)
        /// The head with the new file's name.
        case new(name: String)
        /// The line numbers of the hunk that follows: `@@ -1,2 +1,3 @@`.
        case place(String)
        case kept(String)
        case removed(String)
        case added(String)

        /// The line as `diff -u` writes it.
        package var text: String {
            switch self {
            case .old(let name): "--- \(name)"
            case .new(let name): "+++ \(name)"
            case .place(let text): text
            case .kept(let line): " \(line)"
            case .removed(let line): "-\(line)"
            case .added(let line): "+\(line)"
            }
        }

        fileprivate var isKept: Bool { if case .kept = self { true } else { false } }
        fileprivate var isOld: Bool { if case .added = self { false } else { true } }
        fileprivate var isNew: Bool { if case .removed = self { false } else { true } }
    }

    /// The hunks; none when both are the same.
    static func hunks(from old: [String], to new: [String]) -> [Line] {
        let lines = merged(old, new)
        let changed = lines.indices.filter { !lines[$0].isKept }
        var hunks: [Line] = []
        var next = 0
        while next < changed.count {
            var last = next
            // Two changes whose contexts touch are one hunk.
            while last + 1 < changed.count, changed[last + 1] - changed[last] <= 2 * context + 1 { last += 1 }
            let range = max(0, changed[next] - context)...min(lines.count - 1, changed[last] + context)
            hunks += hunk(lines, range)
            next = last + 1
        }
        return hunks
    }

    private static func merged(_ old: [String], _ new: [String]) -> [Line] {
        let difference = new.difference(from: old)
        var removed: Set<Int> = []
        var added: Set<Int> = []
        for change in difference {
            switch change {
            case .remove(let offset, _, _): removed.insert(offset)
            case .insert(let offset, _, _): added.insert(offset)
            }
        }
        var lines: [Line] = []
        var (i, j) = (0, 0)
        while i < old.count || j < new.count {
            if removed.contains(i) {
                lines.append(.removed(old[i]))
                i += 1
            } else if added.contains(j) {
                lines.append(.added(new[j]))
                j += 1
            } else {
                lines.append(.kept(old[i]))
                i += 1
                j += 1
            }
        }
        return lines
    }

    private static func hunk(_ lines: [Line], _ range: ClosedRange<Int>) -> [Line] {
        func part(_ isIn: (Line) -> Bool) -> String {
            let count = lines[range].count(where: isIn)
            // The number of the part's first line; an empty part has the number of the line before it.
            let start = lines[..<range.lowerBound].count(where: isIn) + (count == 0 ? 0 : 1)
            return count == 1 ? "\(start)" : "\(start),\(count)"
        }
        return [.place("@@ -\(part(\.isOld)) +\(part(\.isNew)) @@")] + lines[range]
    }
}

extension UnifiedDiff.Line: Encodable {
    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(text)
    }
}
