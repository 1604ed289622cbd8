// SPDX-License-Identifier: Apache-2.0

import Glibc
import TestSupport
import Testing

/// What was acknowledged around a copy that was taken while a recipe held its application.
struct HeldCycle {
    /// When the freeze had returned: all of it has to be in the copy.
    let atFreeze: [Int]
    /// Just before the thaw: nothing beyond it may be in the copy.
    let atThaw: [Int]
    /// From the start of the freeze to the end of the thaw, in seconds.
    let window: Double
    /// The longest time for which a writer stood still, in seconds.
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
        // Some of the window goes by before the lock, so that even a slow machine keeps the writers' pause below it.
        #expect(pause <= window + 1, sourceLocation: sourceLocation)
    }

    /// Expects that the copy holds what it must and nothing that it must not: of each writer all numbers up to the last.
    ///
    /// - Parameters:
    ///   - copied: how many numbers of each writer the copy has, and the last of them.
    ///   - inFlight: how many of a writer's numbers may have been written and not acknowledged.
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
