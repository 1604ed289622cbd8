// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestSupport
import Testing

/// A machine with one recipe whose application makes a copy of its own in `prepare`.
struct NativeCopyGuest {
    let guest: RecipeGuest
    let recipe: String
    /// The directory in which each instance has a directory for its copies.
    let copies: String

    init(_ recipe: String, _ settings: String = "", runBy shell: String? = nil) throws {
        guest = try RecipeGuest()
        self.recipe = recipe
        copies = guest.path("copies")
        if let shell { try guest.enable(recipe, runBy: shell) } else { try guest.enable(recipe) }
        try configure(settings)
    }

    func configure(_ settings: String) throws {
        try guest.configure(recipe, "directory = \(copies)\n\(settings)\n")
    }

    var hook: String { "50-\(recipe)" }

    /// Puts a command of this name before the installed one in PATH.
    func replace(_ command: String, by script: String) throws {
        try Files.write("#!/bin/sh\n\(script)\n", to: guest.path(command), mode: 0o755)
    }

    /// Gives the copies a small filesystem of their own.
    func mountSmallDisk(size: String) throws {
        if !Files.exists(copies) { try guest.execute(["mkdir", copies]) }
        try guest.execute(["mount", "-t", "tmpfs", "-o", "size=\(size)", "tmpfs", copies])
    }

    // MARK: - Cycles

    /// Runs a whole cycle that is expected to be good.
    func runCycle(sourceLocation: SourceLocation = #_sourceLocation) throws {
        #expect(try guest.run("freeze") == 0, sourceLocation: sourceLocation)
        #expect(try guest.run("thaw") == 0, sourceLocation: sourceLocation)
        #expect(
            guest.verdict?.hasPrefix("native-copy: ") == true, "\(guest.log.suffix(12))",
            sourceLocation: sourceLocation)
    }

    /// Runs a whole cycle that is expected to be good, with one instance; returns its copy.
    func copyInCycle(sourceLocation: SourceLocation = #_sourceLocation) throws -> String {
        try runCycle(sourceLocation: sourceLocation)
        // The recipe's own line names the copy: the names of two copies in one second have a random order.
        let prefix = "copied to "
        guard let copy = guest.output(of: hook).last(where: { $0.hasPrefix(prefix) })?.dropFirst(prefix.count),
            try madeCopies().contains(String(copy))
        else { throw TestFailure("no copy: \(guest.log)") }
        return String(copy)
    }

    /// Runs a whole cycle in which no copy can be made; returns the recipe's line in `prepare`.
    func reasonOfFailure(sourceLocation: SourceLocation = #_sourceLocation) throws -> String {
        let before = guest.output(of: hook).count
        #expect(try guest.run("freeze") == 0, sourceLocation: sourceLocation)
        for action in ["prepare", "freeze"] {
            #expect(
                guest.ending(of: hook, action)?.contains("status=1 ") == true, "\(guest.log.suffix(12))",
                sourceLocation: sourceLocation)
        }
        let words = guest.output(of: hook).dropFirst(before)
        // Prepare and freeze have a line each.
        #expect(words.count == 2, "\(words)", sourceLocation: sourceLocation)
        #expect(try guest.run("thaw") == 0, sourceLocation: sourceLocation)
        #expect(guest.verdict?.hasPrefix("crash-consistent: ") == true, sourceLocation: sourceLocation)
        return words.first ?? ""
    }

    /// The instances, by the names of their directories.
    func instances() throws -> [String] { try Files.names(in: guest.namespace.path(copies)) }

    /// The copies of an instance, or of the only one, the oldest first.
    func madeCopies(of instance: String? = nil) throws -> [String] {
        let there = try instances()
        if instance == nil { #expect(there.count <= 1, "\(there)") }
        guard let instance = instance ?? there.first else { return [] }
        return try Files.names(in: guest.namespace.path("\(copies)/\(instance)")).map { "\(copies)/\(instance)/\($0)" }
    }

    /// All files of all copies, also of unfinished ones.
    func files() throws -> [String] {
        guard Files.exists(copies) else { return [] }
        return try guest.execute(["find", copies, "-type", "f"]).split(separator: "\n").map(String.init)
    }

    // MARK: - Under load

    /// Runs cycles while several clients write, and expects their numbers in each copy.
    ///
    /// - Parameters:
    ///   - write: the shell command that writes a number and ends when it is acknowledged.
    ///   - isOfOneMoment: whether the copy holds the numbers up to one moment. Otherwise a later number may be there
    ///     without an earlier one.
    ///   - numbers: the numbers of each writer that a copy holds.
    func expectAllThatWasAcknowledged(
        inCycles cycles: Int, writers: Int = 3, isOfOneMoment: Bool = true,
        write: @escaping @Sendable (_ writer: Int, _ number: Int) -> String,
        numbers: (_ copy: String) throws -> [[Int]]
    ) throws {
        let entering = try guest.namespace.entering()
        let load = WriteLoad(writers: writers) { writer in
            let shell = try DatabaseClient(entering + ["/bin/sh"])
            return { number in
                let answer = try shell.ask("\(write(writer, number)) >/dev/null && echo done")
                guard answer == "done" else { throw TestFailure(answer) }
            }
        }
        defer { load.stop() }
        for cycle in 1...cycles {
            try load.advance(by: 2)
            let acknowledged = load.counts
            let copy = try copyInCycle()
            let written = load.counts
            for (writer, found) in try numbers(copy).enumerated() {
                let place: Comment = "cycle \(cycle), writer \(writer)"
                let there = Set(found)
                #expect(there.count == found.count, place)
                let due = isOfOneMoment ? max(acknowledged[writer], found.count) : acknowledged[writer]
                let missing = (1...due).filter { !there.contains($0) }
                #expect(missing == [], place)
                #expect(there.max() ?? 0 <= written[writer] + 1, place)
            }
            #expect(load.errors == [])
        }
    }
}

extension Sequence<String> {
    /// Names like `w2-17`, as each writer's numbers.
    func numbers(of writers: Int) -> [[Int]] {
        var numbers = Array(repeating: [Int](), count: writers)
        for name in self where name.hasPrefix("w") {
            let parts = name.dropFirst().split(separator: "-").compactMap { Int($0) }
            if parts.count == 2, numbers.indices.contains(parts[0]) { numbers[parts[0]].append(parts[1]) }
        }
        return numbers
    }
}
