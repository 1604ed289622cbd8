// SPDX-License-Identifier: Apache-2.0

import Glibc
import TestSupport
import Testing

/// The acknowledged numbers around a copy that was taken while a recipe held its application.
struct HeldCycle {
    /// The last numbers when the freeze had returned: all have to be in the copy.
    let atFreeze: [Int]
    /// The last numbers just before the thaw: none beyond them may be in the copy.
    let atThaw: [Int]
    /// The time from the start of the freeze to the end of the thaw, in seconds.
    let window: Double
    /// The longest pause of a writer, in seconds.
    let pause: Double

    /// Freezes, has the copy made, and thaws; both are expected to succeed, and the writers to go on.
    init(
        on guest: RecipeGuest, under load: WriteLoad, sourceLocation: SourceLocation = #_sourceLocation,
        copy: () throws -> Void
    ) throws {
        try load.advance(by: 3)
        let begin = monotonicSeconds()
        #expect(try guest.run("freeze") == 0, sourceLocation: sourceLocation)
        atFreeze = load.counts
        try copy()
        atThaw = load.counts
        #expect(try guest.run("thaw") == 0, sourceLocation: sourceLocation)
        window = monotonicSeconds() - begin
        try load.advance(by: 3)
        pause = load.longestPause(since: begin)
        #expect(guest.verdict == "application-consistent", "\(guest.log)", sourceLocation: sourceLocation)
        #expect(load.errors == [], sourceLocation: sourceLocation)
        // Part of the window goes by before the lock, so that the writers' pause is shorter even on a slow machine.
        #expect(pause <= window + 1, sourceLocation: sourceLocation)
    }

    /// Expects that the copy holds all numbers of each writer up to its last one, and that the last one is within the
    /// bounds.
    ///
    /// - Parameters:
    ///   - copied: the count of each writer's numbers in the copy, and the last of them.
    ///   - inFlight: the count of a writer's numbers that may be written and not acknowledged.
    func expectExact(
        _ copied: [(count: Int, last: Int)], inFlight: Int = 0, sourceLocation: SourceLocation = #_sourceLocation
    ) {
        for (writer, numbers) in copied.enumerated() {
            #expect(numbers.count == numbers.last, "writer \(writer) has a gap", sourceLocation: sourceLocation)
            #expect(
                numbers.last >= atFreeze[writer], "writer \(writer) has lost numbers", sourceLocation: sourceLocation)
            #expect(
                numbers.last <= atThaw[writer] + inFlight, "writer \(writer) was not held",
                sourceLocation: sourceLocation)
        }
    }
}
