// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import FreezeHook
@testable import FreezeHookBase

/// The messages on standard error when a cycle is refused or fails.
@Suite struct CycleErrorTests {
    /// An error's words.
    struct Words: CustomTestStringConvertible {
        var error: any Error & Sendable
        var text: String
        var testDescription: String { text }

        init(_ error: any Error & Sendable, _ text: String) {
            self.error = error
            self.text = text
        }
    }

    static let words = [
        Words(
            FreezeError.busy(for: .backup), "another freeze or thaw is still running; try again when it has ended"),
        Words(FreezeError.busy(for: .rehearsal), "another freeze or thaw is running; try again when it has ended"),
        Words(FreezeError.frozenMeanwhile(cycle: "5c1f"), "the cycle 5c1f was frozen meanwhile; thaw it first"),
        Words(
            FreezeError.agentHoldsFilesystems(cycle: "5c1f"),
            "the cycle 5c1f is frozen and qemu-ga holds its filesystems; thaw it first"),
        Words(
            FreezeError.unfinished(.backup, cycle: "5c1f"),
            "the cycle 5c1f has not ended; 'fsfreeze-hook status' says what it waits for"),
        Words(
            FreezeError.unfinished(.rehearsal, cycle: "5c1f"),
            "the rehearsal 5c1f has not ended; 'fsfreeze-hook status' says what it waits for"),
        Words(
            FreezeError.filesystemsFrozen, "qemu-ga holds the filesystems frozen; try again when they are thawed"),
        Words(ThawError.hooksFailed(1, of: 3), "1 of 3 hooks failed to thaw; the log says which"),
        Words(RehearsalError.recordLost, "the record of the rehearsal was lost; the log tells how it went"),
        Words(
            RehearsalError.refused(.filesystemsFrozen),
            "qemu-ga holds the filesystems frozen; try again when they are thawed"),
    ]

    @Test(arguments: words) func `An error says what is the matter and what to do`(_ words: Words) {
        #expect("\(words.error)" == words.text)
    }

    @Test func `Of a thaw only a cycle that is left alone is worth a word`() {
        #expect(
            ThawOutcome.leftAlone(cycle: "5c1f").note
                == "the cycle 5c1f is left alone: qemu-ga holds its filesystems frozen and will thaw")
        for outcome in [ThawOutcome.nothing, .ended(nil), .expired(.backup, again: false), .unthawed(nil)] {
            #expect(outcome.note == nil)
        }
    }

    @Test(arguments: [(0, "0 hooks"), (1, "1 hook"), (2, "2 hooks"), (11, "11 hooks")])
    func `A noun follows its number`(count: Int, text: String) {
        #expect(CountText.format(count, "hook") == text)
    }
}
