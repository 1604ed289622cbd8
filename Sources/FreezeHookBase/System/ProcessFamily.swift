// SPDX-License-Identifier: Apache-2.0

import Glibc

/// A process that leads a session of its own, with all that belongs to it. Its parent need not be this process.
package struct ProcessFamily {
    /// The process that leads the session.
    package let leader: ProcessIdentity
    private let isStray: (ProcessEntry) -> Bool

    private static let interval = Duration.milliseconds(5)
    // SIGKILL works at once, but for a process in state D.
    private static let killPatience = Duration.seconds(1)

    /// The family of a leader. `isStray` tells which other processes belong to it, with all below them, although they have
    /// left its session and their parents have ended.
    package init(leader: ProcessIdentity, isStray: @escaping (ProcessEntry) -> Bool = { _ in false }) {
        self.leader = leader
        self.isStray = isStray
    }

    /// Those of the family that still run; zombies do not.
    package func living() -> [ProcessEntry] {
        let table = ProcessTable.all()
        let isThere = table.contains { $0.pid == leader.pid && $0.startTime == leader.startTime }
        let strays = table.filter { $0.pid != leader.pid && isStray($0) }.map(\.pid)
        let roots = Set(strays + (isThere ? [leader.pid] : []))
        let below = roots.isEmpty ? [] : Set(ProcessTable.descendants(of: roots, in: table).map(\.pid))
        return table.filter { entry in
            guard entry.state != "Z" else { return false }
            if entry.pid == leader.pid { return entry.startTime == leader.startTime }
            // A session's number is not given to another process as long as one of its members lives; a later session
            // of the same number has a leader, which is then a stranger.
            return roots.contains(entry.pid) || below.contains(entry.pid)
                || entry.session == leader.pid && (isThere || !table.contains { $0.pid == leader.pid })
                    && entry.startTime >= leader.startTime
        }
    }

    /// What came of ending a family.
    package struct Ending: Equatable {
        /// The strongest signal that was sent: SIGTERM or SIGKILL.
        package var signal: Int32
        /// How many could not be killed.
        package var survivors: Int
    }

    /// Ends all of it: SIGTERM, the grace, and SIGKILL until nothing is left or a second has passed.
    ///
    /// - Parameter wait: does what has to be done meanwhile, until the moment or less; whether the leader's status has been
    ///   fetched, if anybody waits for it.
    @discardableResult
    package func end(grace: Duration, wait: (MonotonicTime) -> Bool = Self.sleep) -> Ending {
        let graceEnd = MonotonicTime.now() + grace
        var living = living()
        for member in living { kill(member.pid, SIGTERM) }
        repeat {
            // What has ended already needs no time.
            let isFetched = wait(living.isEmpty ? .now() : min(graceEnd, .now() + Self.interval))
            living = self.living()
            if isFetched && living.isEmpty { return Ending(signal: SIGTERM, survivors: 0) }
        } while .now() < graceEnd
        let patienceEnd = MonotonicTime.now() + Self.killPatience
        while true {
            // Again each time: one that forks for ever has new children.
            for member in living { kill(member.pid, SIGKILL) }
            let isFetched = wait(.now() + Self.interval)
            living = self.living()
            if isFetched && living.isEmpty || .now() >= patienceEnd {
                return Ending(signal: SIGKILL, survivors: living.count)
            }
        }
    }

    private static func sleep(until moment: MonotonicTime) -> Bool {
        usleep(useconds_t(max(0, (moment - .now()).nanoseconds) / 1_000))
        return true
    }
}
