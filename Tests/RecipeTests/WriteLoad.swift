// SPDX-License-Identifier: Apache-2.0

import Foundation
import Synchronization
import TestSupport

/// Writers that each write 1, 2, 3 and so on, and note the time of each acknowledgement.
final class WriteLoad: Sendable {
    /// The acknowledgements and errors of one writer.
    struct Progress: Sendable {
        /// The time of each acknowledgement, in seconds of the monotonic clock; the first is that of 1.
        var acknowledged: [Double] = []
        var error: String?
    }

    private let progress: Mutex<[Progress]>
    private let isStopped = Mutex(false)
    private let threads = DispatchGroup()

    /// Starts the writers.
    ///
    /// - Parameters:
    ///   - pause: the time between two numbers of one writer, in seconds.
    ///   - connect: makes a writer's own connection and returns a function that writes a number and returns when it is
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

    /// The count of acknowledged numbers of each writer.
    var counts: [Int] { progress.withLock { $0.map(\.acknowledged.count) } }

    /// The errors of all writers.
    var errors: [String] { progress.withLock { $0.compactMap(\.error) } }

    /// Waits until each writer has written this many further numbers.
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

    /// Ends each writer after its present number.
    func stop() {
        isStopped.withLock { $0 = true }
        threads.wait()
    }
}
