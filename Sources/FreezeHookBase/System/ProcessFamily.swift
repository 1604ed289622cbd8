import Glibc

/// A process that leads a session of its own, with all that belongs to it. Its parent need not be this process.
package struct ProcessFamily {
    let leader: ProcessIdentity

    private static let interval: useconds_t = 5_000
    private static let killPatience = Duration.seconds(1)

    /// The family of this leader.
    package init(leader: ProcessIdentity) {
        self.leader = leader
    }

    /// Those of the family that still run.
    package func living() -> [ProcessEntry] {
        let table = ProcessTable.all()
        let isThere = table.contains { $0.pid == leader.pid && $0.startTime == leader.startTime }
        let below = isThere ? Set(ProcessTable.descendants(of: [leader.pid], in: table).map(\.pid)) : []
        return table.filter { entry in
            guard entry.state != "Z" else { return false }
            if entry.pid == leader.pid { return entry.startTime == leader.startTime }
            // A session's number is not given to another process as long as one of its members lives; a later session
            // of the same number has a leader, which is then a stranger.
            return below.contains(entry.pid)
                || entry.session == leader.pid && (isThere || !table.contains { $0.pid == leader.pid })
                    && entry.startTime >= leader.startTime
        }
    }

    /// Ends all of it: SIGTERM, the grace, SIGKILL. False when something cannot be killed.
    @discardableResult
    package func end(grace: Duration) -> Bool {
        for (signal, time) in [(SIGTERM, grace), (SIGKILL, Self.killPatience)] {
            let end = MonotonicTime.now() + time
            var living = living()
            for member in living { kill(member.pid, signal) }
            while !living.isEmpty && .now() < end {
                usleep(Self.interval)
                living = self.living()
            }
            if living.isEmpty { return true }
        }
        return false
    }
}
