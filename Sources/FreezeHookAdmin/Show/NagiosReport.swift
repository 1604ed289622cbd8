import FreezeHook
import FreezeHookBase
import FreezeHookRecipes
import SystemPackage

/// What a Nagios or Icinga plugin prints: one line with performance data, and an exit status.
package struct NagiosReport: Equatable {
    /// The states of the monitoring plugins' guidelines.
    package enum State: Int32, Sendable {
        case ok = 0
        case warning = 1
        case critical = 2
        case unknown = 3

        fileprivate var word: String {
            switch self {
            case .ok: "OK"
            case .warning: "WARNING"
            case .critical: "CRITICAL"
            case .unknown: "UNKNOWN"
            }
        }
    }

    /// The state; its raw value is the exit status.
    package var state: State
    private var text: String
    private var data: [String] = []

    /// A report of a state without performance data; the text says why.
    package init(_ state: State, _ text: String) {
        self.state = state
        self.text = text
    }

    /// The report on a machine at a moment. Good is a cycle whose verdict is not below `accepting`; critical when the last
    /// good one is older than `maxAge` or somebody has to act now, a warning when only the last cycle was not good.
    package init(
        locations: Locations, settings: Settings, maxAge: Duration, accepting: Guarantee, now: WallTime
    ) {
        let status = Status(locations: locations, settings: settings)
        if let problem = status.historyProblem {
            self.init(.unknown, problem)
            return
        }
        let history = History(
            directory: StateDirectory(path: locations.stateDirectory), limit: settings.historyLimit)
        self.init(last: status.last, lastGood: history.lastBackup(atLeast: accepting), maxAge: maxAge, now: now)
        if let attention = status.attention {
            state = .critical
            text = "\(attention); \(text)"
        }
    }

    init(last: CycleSummary?, lastGood: CycleSummary?, maxAge: Duration, now: WallTime) {
        guard let last else {
            self.init(.critical, "no cycle yet: the agent has not called the hooks")
            return
        }
        let reasons = last.reasons.isEmpty ? "" : " (\(last.reasons.joined(separator: "; ")))"
        let lastText = "last cycle \(Self.age(of: last, now)): \(last.verdict)\(reasons)"
        let limit = maxAge.nanoseconds / 1_000_000_000
        guard let lastGood else {
            self.init(.critical, "no good cycle is known; \(lastText)")
            addDurations(of: last)
            return
        }
        let seconds = Self.seconds(since: lastGood, now)
        let isOld = seconds > Double(limit)
        switch (isOld, lastGood.id == last.id) {
        case (false, true): self.init(.ok, lastText)
        case (false, false): self.init(.warning, "\(lastText); last good one \(Self.age(of: lastGood, now))")
        case (true, _):
            let allowed = DurationText.format(maxAge)
            self.init(.critical, "last good cycle \(Self.age(of: lastGood, now)), allowed are \(allowed); \(lastText)")
        }
        data.append("age=\(Int64(min(max(0, seconds), 1e12)))s;;\(limit);0")
        addDurations(of: last)
    }

    private mutating func addDurations(of cycle: CycleSummary) {
        let parts: [(name: String, seconds: Double?)] = [
            ("freeze", cycle.freezeSeconds), ("hold", cycle.holdSeconds), ("thaw", cycle.thawSeconds),
            ("window", cycle.windowSeconds),
        ]
        for part in parts {
            guard let seconds = part.seconds else { continue }
            data.append(
                "\(part.name)=\(DurationText.seconds(DurationText.shown(seconds)))s;;;0"
            )
        }
    }

    /// The line. A `|` in the text would begin the performance data.
    package var line: String {
        let clean = text.split(separator: "|", omittingEmptySubsequences: false).joined(separator: "/")
        let performance = data.isEmpty ? "" : " | \(data.joined(separator: " "))"
        return "FSFREEZE \(state.word) - \(clean)\(performance)"
    }

    private static func seconds(since cycle: CycleSummary, _ now: WallTime) -> Double {
        // A time that cannot be read is older than everything that is allowed.
        WallTime(rfc3339: cycle.started).map { now.seconds - $0.seconds } ?? .greatestFiniteMagnitude
    }

    private static func age(of cycle: CycleSummary, _ now: WallTime) -> String {
        let seconds = seconds(since: cycle, now)
        if seconds > 1e9 { return "at an unknown time" }
        let (number, unit) =
            seconds < 120
            ? (seconds, "s")
            : seconds < 7200
                ? (seconds / 60, "min")
                : seconds < 172_800 ? (seconds / 3600, "h") : (seconds / 86_400, "d")
        return "\(Int64(max(0, number))) \(unit) ago"
    }
}
