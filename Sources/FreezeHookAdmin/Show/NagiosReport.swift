// SPDX-License-Identifier: Apache-2.0

import FreezeHook
import FreezeHookBase
import SystemPackage

/// The output of a Nagios or Icinga plugin: one line with performance data, and an exit status.
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

    /// A report of a state without performance data; the text is the reason.
    package init(_ state: State, _ text: String) {
        self.state = state
        self.text = text
    }

    /// The report on a machine at a moment. A cycle is good when its verdict is not below `accepting`. The state is
    /// critical when the last good cycle is older than `maxAge` or somebody has to act now, a warning when only the
    /// last cycle was not good.
    package init(
        locations: Locations, settings: Settings, maxAge: Duration, accepting: Guarantee, now: WallTime
    ) {
        let status = Status(locations: locations, settings: settings)
        if let problem = status.historyProblem {
            self.init(.unknown, "\(problem)")
            return
        }
        let history = History(
            directory: StateDirectory(path: locations.stateDirectory), limit: settings.historyLimit)
        self.init(last: status.last, lastGood: history.lastBackup(atLeast: accepting), maxAge: maxAge, now: now)
        if !status.attentions.isEmpty {
            state = .critical
            text = (status.attentions.map { "\($0)" } + [text]).joined(separator: "; ")
        }
    }

    init(last: CycleSummary?, lastGood: CycleSummary?, maxAge: Duration, now: WallTime) {
        guard let last else {
            self.init(.critical, "no cycle yet: the agent has not called the hooks")
            return
        }
        let reasons = last.reasons.isEmpty ? "" : " (\(last.reasons.texts.joined(separator: "; ")))"
        let doubt = last.doubt.map { ", \($0)" } ?? ""
        let lastText = "last cycle \(Self.age(of: last, now)): \(last.verdict.text)\(doubt)\(reasons)"
        let limit = maxAge.nanoseconds / 1_000_000_000
        guard let lastGood else {
            self.init(.critical, "no good cycle is known; \(lastText)")
            addDurations(of: last)
            return
        }
        let seconds = lastGood.started.age(at: now)
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
        let parts = [
            ("freeze", cycle.freezeTime), ("hold", cycle.holdTime), ("thaw", cycle.thawTime),
            ("window", cycle.windowTime),
        ]
        for (name, time) in parts {
            guard let time else { continue }
            data.append("\(name)=\(DurationText.seconds(DurationText.shown(time.inSeconds)))s;;;0")
        }
    }

    /// The line of output, cleaned. A `|` in the text would begin the performance data, and becomes `/`.
    package var line: String {
        // Unicode scalars: Swift takes `|` and a combining accent for one character.
        let parts = SafeText.clean(text).unicodeScalars.split(separator: "|", omittingEmptySubsequences: false)
        let clean = parts.map { String($0) }.joined(separator: "/")
        let performance = data.isEmpty ? "" : " | \(data.joined(separator: " "))"
        return "FSFREEZE \(state.word) - \(clean)\(performance)"
    }

    private static func age(of cycle: CycleSummary, _ now: WallTime) -> String {
        let seconds = cycle.started.age(at: now)
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
