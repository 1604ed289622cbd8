/// The moments of a cycle.
package enum CycleMoment: String, Sendable {
    case begun
    /// The first freeze hook is about to be called; `prepare` lies before it.
    case windowOpened = "window-opened"
    /// All freeze hooks have run.
    case frozen
    /// The guard's time is over: it begins to thaw.
    case expired
    /// The thaw begins.
    case thawing
    /// The last thaw hook has ended.
    case thawed
}

/// A moment on both clocks: one to measure by, one to show.
package struct Timestamp: Equatable, Sendable {
    package var monotonic = MonotonicTime.now()
    package var wall = WallTime.now()

    package init() {}

    init(monotonic: MonotonicTime, wall: WallTime) {
        self.monotonic = monotonic
        self.wall = wall
    }
}
