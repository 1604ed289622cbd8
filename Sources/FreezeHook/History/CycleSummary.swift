import FreezeHookBase
import SystemPackage

/// One cycle as `status --json` and the history show it. Keys are only ever added.
package struct CycleSummary: Codable, Equatable {
    /// One run of a hook.
    package struct Run: Codable, Equatable {
        /// The hook's file name, cleaned.
        package var name: String
        /// The hook's path, cleaned.
        package var path: String
        /// The word it was called with: the raw value of a `HookAction`.
        package var action: String
        /// Why it was called: the raw value of a `RunReason`.
        package var reason: String
        /// Its exit status, or the shell's number for another ending; nil when it has not ended, or nobody saw how.
        package var status: Int32?
        /// The signal that it died of.
        package var signal: Int32?
        /// Whether it took longer than it may.
        package var timedOut: Bool
        /// When it was called, RFC 3339.
        package var started: String
        /// From the cycle's start to its own; not in what older versions have kept.
        package var offsetSeconds: Double?
        /// How long it took; nil when it has not ended.
        package var seconds: Double?

        /// Whether it counts against the verdict: a status that is a failure, or none because the program was killed.
        package var failed: Bool { status.map(HookStatus.isFailure) ?? true }
    }

    /// A hook that was not called, which counts as a failure.
    package struct Refusal: Codable, Equatable {
        /// The hook's file name, cleaned.
        package var name: String
        /// The hook's path, cleaned.
        package var path: String
        /// The word it would have been called with: the raw value of a `HookAction`.
        package var action: String
        /// Why it was not called.
        package var why: String
    }

    /// The cycle's id, a UUID.
    package var id: String
    /// What brought it to its end: the raw value of a `RunReason`.
    package var reason: String
    /// When it began, RFC 3339.
    package var started: String
    /// How good an image of its window is: the raw value of a `Guarantee`.
    package var verdict: String
    /// The weakest promise of its hooks: the raw value of a `Guarantee`; nil when no hook ran.
    package var guarantee: String?
    /// Why the image is no better; empty for an application-consistent one.
    package var reasons: [String]
    /// From its beginning to the window's; nil for what it did not come to, as for the four below.
    package var prepareSeconds: Double?
    /// From the window's beginning to the end of the last freeze hook.
    package var freezeSeconds: Double?
    /// From the end of the last freeze hook to the beginning of the thaw.
    package var holdSeconds: Double?
    /// From the thaw's beginning to its end.
    package var thawSeconds: Double?
    /// From the window's beginning to the thaw's end.
    package var windowSeconds: Double?
    /// Whether the guard ended the window; not in what older versions have kept.
    package var expired: Bool?
    /// The runs of its hooks, in their order.
    package var hooks: [Run]
    /// nil when there is none.
    package var refusals: [Refusal]?

    /// The cycle as far as its record goes.
    package init(of record: CycleRecord) {
        let verdict = Verdict(on: record)
        let moments = record.moments
        let thawing = [moments[.expired], moments[.thawing]].compactMap { $0 }.min { $0.monotonic < $1.monotonic }
        let opened = moments[.windowOpened]
        id = record.id
        reason = Self.reason(of: record).rawValue
        started = (moments[.begun] ?? Timestamp()).wall.rfc3339
        self.verdict = verdict.guarantee.rawValue
        guarantee = Verdict.weakestGuarantee(of: record)?.rawValue
        reasons = verdict.reasons
        prepareSeconds = Self.seconds(from: moments[.begun], to: opened)
        freezeSeconds = Self.seconds(from: opened, to: moments[.frozen] ?? thawing)
        holdSeconds = Self.seconds(from: moments[.frozen], to: thawing)
        thawSeconds = Self.seconds(from: thawing, to: moments[.thawed])
        windowSeconds = Self.seconds(from: opened, to: moments[.thawed])
        expired = record.hasExpired ? true : nil
        let begun = moments[.begun]
        hooks = record.runs.map { run in
            Run(
                name: run.name, path: SafeText.clean(run.path), action: run.action.rawValue,
                reason: run.reason.rawValue,
                status: run.end?.status, signal: run.end?.signal, timedOut: run.end?.timedOut ?? false,
                started: run.started.wall.rfc3339, offsetSeconds: Self.seconds(from: begun, to: run.started),
                seconds: run.end.map { $0.duration.inSeconds })
        }
        let refusals = record.refusals.map { refusal in
            Refusal(
                name: refusal.path.name, path: SafeText.clean(refusal.path), action: refusal.action.rawValue,
                why: refusal.reason)
        }
        self.refusals = refusals.isEmpty ? nil : refusals
    }

    /// Whether nothing was imaged: it says nothing of a backup.
    package var isRehearsal: Bool { reason == RunReason.rehearsal.rawValue }

    /// The names of the hooks that failed or were not called, each once, in the order of the cycle.
    package var failedHooks: [String] {
        var seen: Set<String> = []
        let names = hooks.filter(\.failed).map(\.name) + (refusals ?? []).map(\.name)
        return names.filter { seen.insert($0).inserted }
    }

    /// How long the window was, and its parts: `3.000s: freeze 0.500s, hold 2.000s, thaw 0.500s`.
    package var durations: String {
        let parts: [(name: String, seconds: Double?)] = [
            ("freeze", freezeSeconds), ("hold", holdSeconds), ("thaw", thawSeconds),
        ]
        let known = parts.compactMap { part in part.seconds.map { "\(part.name) \(DurationText.brief($0))" } }
        var text = windowSeconds.map(DurationText.brief) ?? "none"
        if !known.isEmpty { text += ": \(known.joined(separator: ", "))" }
        // Without a hook that prepares it is but the time until the guard was there.
        if let prepareSeconds, hooks.contains(where: { $0.action == HookAction.prepare.rawValue }) {
            text += "; prepare \(DurationText.brief(prepareSeconds))"
        }
        return text
    }

    /// What the cycle ended with; that of a rehearsal is always the same.
    private static func reason(of record: CycleRecord) -> RunReason {
        if record.isRehearsal { return .rehearsal }
        if let thaw = record.runs.last(where: { $0.action == .thaw }) { return thaw.reason }
        // Rolled back before anything was frozen.
        return record.moments[.frozen] == nil && record.moments[.thawing] != nil ? .rollback : .freeze
    }

    private static func seconds(from start: Timestamp?, to end: Timestamp?) -> Double? {
        guard let start, let end else { return nil }
        return (end.monotonic - start.monotonic).inSeconds
    }
}
