// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import FreezeHook

/// The pauses between the tries of the guard.
@Suite struct RetryPausesTests {
    private func pauses(first: Duration) -> [Duration] {
        var pauses = RetryPauses(first: first)
        var all: [Duration] = []
        while let pause = pauses.next(), all.count < 1000 { all.append(pause) }
        return all
    }

    @Test func `They double up to an hour, and end after about a day`() {
        let all = pauses(first: .seconds(60))
        #expect(all.prefix(4) == [.seconds(60), .seconds(120), .seconds(240), .seconds(480)])
        #expect(all.last == .seconds(3600) && all.max() == .seconds(3600))
        let sum = all.reduce(.zero, +)
        #expect(sum > .seconds(24 * 3600) && sum < .seconds(36 * 3600))
    }

    @Test(arguments: [Duration.zero, .milliseconds(1), .seconds(1_000_000)])
    func `They end whatever the first is`(first: Duration) {
        #expect(pauses(first: first).count == 32)
    }
}
