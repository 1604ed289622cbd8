// SPDX-License-Identifier: Apache-2.0

import Foundation
import Synchronization
import TestSupport

/// Writers that each write 1, 2, 3 and so on, one number after the other, and note when each was acknowledged.
final class WriteLoad: Sendable {
    /// What has become of one writer's numbers.
    struct Progress: Sendable {
        /// When each number was acknowledged, in seconds of the monotonic clock: the first is that of 1.
        var acknowledged: [Double] = []
        var error: String?
    }

    private let progress: Mutex<[Progress]>
    private let isStopped = Mutex(false)
    private let threads = DispatchGroup()

    /// Starts the writers.
    ///
    /// - Parameters:
    ///   - pause: between two numbers of one writer, in seconds.
    ///   - connect: makes a writer's own connection and returns what writes a number and comes back when it is
    ///     acknowledged.
    init(
        writers: Int, pause: Double = 0.002, connect: @escaping @Sendable (_ writer: Int) throws -> (Int) throws -> Void
    ) {
        progress = Mutex(Array(repeating: Progress(), count: writers))
        for writer in 0..<writers {
            threads.enter()
            Thread.detachNewThread { [self] in
                defer { threads.leave() }
                do {
                    let write = try connect(writer)
                    var number = 1
                    while !isStopped.withLock({ $0 }) {
                        try write(number)
                        let now = monotonicSeconds()
                        progress.withLock { $0[writer].acknowledged.append(now) }
                        number += 1
                        usleep(UInt32(pause * 1e6))
                    }
                } catch {
                    progress.withLock { $0[writer].error = "\(error)" }
                }
            }
        }
    }

    /// How many numbers of each writer are acknowledged.
    var counts: [Int] { progress.withLock { $0.map(\.acknowledged.count) } }

    /// What went wrong for any writer.
    var errors: [String] { progress.withLock { $0.compactMap(\.error) } }

    /// Waits until each writer has written that many numbers more.
    func advance(by numbers: Int) throws {
        let start = counts
        guard eventually(within: 60, { !errors.isEmpty || zip(counts, start).allSatisfy { $0 >= $1 + numbers } }),
            errors.isEmpty
        else { throw TestFailure("the writers stand still: \(start), \(counts), \(errors)") }
    }

    /// The longest time between two acknowledgements of one writer since a moment, in seconds.
    func longestPause(since moment: Double) -> Double {
        progress.withLock { all in
            all.map { writer in
                let times = writer.acknowledged.filter { $0 >= moment }
                return zip(times.dropFirst(), times).map { $0 - $1 }.max() ?? 0
            }.max() ?? 0
        }
    }

    /// Ends the writers after the number that each is writing.
    func stop() {
        isStopped.withLock { $0 = true }
        threads.wait()
    }
}
