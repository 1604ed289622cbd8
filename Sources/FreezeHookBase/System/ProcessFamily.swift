// SPDX-License-Identifier: Apache-2.0

import Glibc

/// The leader of a session with all processes that belong to it: the session, and mostly all descendants of the leader.
/// Its parent need not be this process.
package struct ProcessFamily {
    /// The process that leads the session.
    package let leader: ProcessIdentity
    private let isStray: (ProcessEntry) -> Bool
    private let hasDescendants: Bool

    private static let interval = Duration.milliseconds(5)
    // SIGKILL works at once, except for a process in state D.
    private static let killPatience = Duration.seconds(1)

    /// The family of a leader. `isStray` selects further members, with all processes below them: those that have left
    /// the session and whose parents have ended.
    package init(leader: ProcessIdentity, isStray: @escaping (ProcessEntry) -> Bool = { _ in false }) {
        self.leader = leader
        self.isStray = isStray
        hasDescendants = true
    }

    /// The session of a leader alone: a descendant with a session of its own is no member.
    package init(sessionOf leader: ProcessIdentity) {
        self.leader = leader
        isStray = { _ in false }
        hasDescendants = false
    }

    /// The members that still run, without zombies.
    package func living() -> [ProcessEntry] {
        let table = ProcessTable.all()
        let isThere = table.contains { $0.pid == leader.pid && $0.startTime == leader.startTime }
        let strays = table.filter { $0.pid != leader.pid && isStray($0) }.map(\.pid)
        let roots = Set(strays + (isThere ? [leader.pid] : []))
        let below =
            roots.isEmpty || !hasDescendants ? [] : Set(ProcessTable.descendants(of: roots, in: table).map(\.pid))
        return table.filter { entry in
            guard entry.state != "Z" else { return false }
            if entry.pid == leader.pid { return entry.startTime == leader.startTime }
            // The kernel does not reuse a session's id while a member lives: another leader of that id means a later
            // session.
            return roots.contains(entry.pid) || below.contains(entry.pid)
                || entry.session == leader.pid && (isThere || !table.contains { $0.pid == leader.pid })
                    && entry.startTime >= leader.startTime
        }
    }

    /// The outcome of ending a family.
    package struct Ending: Equatable {
        /// The strongest signal that was sent: SIGTERM or SIGKILL.
        package var signal: Int32
        /// The number of processes that could not be killed.
        package var survivors: Int
    }

    /// Ends the family: SIGTERM, the grace, and SIGKILL until nothing is left or a second has passed.
    ///
    /// - Parameter wait: works until the moment or less; returns whether the leader's status has been fetched, or true
    ///   where nobody fetches it.
    @discardableResult
    package func end(grace: Duration, wait: (MonotonicTime) -> Bool = Self.sleep) -> Ending {
        let graceEnd = MonotonicTime.now() + grace
        var living = living()
        for member in living { kill(member.pid, SIGTERM) }
        repeat {
            // No wait when all have ended already.
            let isFetched = wait(living.isEmpty ? .now() : min(graceEnd, .now() + Self.interval))
            living = self.living()
            if isFetched && living.isEmpty { return Ending(signal: SIGTERM, survivors: 0) }
        } while .now() < graceEnd
        let patienceEnd = MonotonicTime.now() + Self.killPatience
        while true {
            // In each round: a process that forks for ever has new children.
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
