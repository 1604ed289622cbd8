// SPDX-License-Identifier: Apache-2.0

import FreezeHookBase
import SystemPackage

/// One cycle as `status --json` and the history show it.
package struct CycleSummary: Equatable {
    /// One run of a hook.
    package struct Run: Equatable {
        /// The hook's file name, cleaned.
        package var name: String
        /// The hook's path, cleaned.
        package var path: String
        /// The word it was called with.
        package var action: Word<HookAction>
        /// Why it was called.
        package var reason: Word<RunReason>
        /// Its exit status, or the shell's number for another ending; nil when it has not ended, or nobody saw how.
        package var status: Int32?
        /// The signal that it died of.
        package var signal: Int32?
        /// Whether it took longer than it may.
        package var timedOut: Bool
        /// When it was called.
        package var started: KeptTime
        /// From the cycle's start to its own; not in what older versions have kept.
        package var offset: Duration?
        /// How long it took; nil when the program was killed meanwhile.
        package var duration: Duration?

        /// Whether it counts against the verdict: a status that is a failure, or none because the program was killed.
        package var failed: Bool { status.map(HookStatus.isFailure) ?? true }
    }

    /// A hook that was not called, which counts as a failure.
    package struct Refusal: Equatable {
        /// The hook's file name, cleaned.
        package var name: String
        /// The hook's path, cleaned.
        package var path: String
        /// The word it would have been called with.
        package var action: Word<HookAction>
        /// The refusal in words.
        package var why: String
    }

    /// The cycle's id, a UUID.
    package var id: String
    /// What the cycle ended with.
    package var reason: Word<RunReason>
    /// When it began.
    package var started: KeptTime
    /// How good an image of its window is.
    package var verdict: Word<Guarantee>
    /// What the hooks that ran promise together; nil when none ran.
    package var guarantee: Word<Guarantee>?
    /// Why the image is no better; empty for an application-consistent one.
    package var reasons: [Reason]
    /// From its beginning to the window's; nil for what it did not come to, as for the four below.
    package var prepareTime: Duration?
    /// From the window's beginning to the end of the last freeze hook.
    package var freezeTime: Duration?
    /// From the end of the last freeze hook to the beginning of the thaw.
    package var holdTime: Duration?
    /// From the thaw's beginning to its end.
    package var thawTime: Duration?
    /// From the window's beginning to the thaw's end.
    package var windowTime: Duration?
    /// Whether the guard is known to have ended the window.
    package var expired: Bool
    /// The runs of its hooks, in their order.
    package var hooks: [Run]
    /// The hooks that were not called, in their order.
    package var refusals: [Refusal]

    /// The cycle as far as its record goes.
    package init(of record: CycleRecord) {
        let verdict = Verdict(on: record)
        let moments = record.moments
        let thawing = [moments[.expired], moments[.thawing]].compactMap { $0 }.min { $0.monotonic < $1.monotonic }
        let opened = moments[.windowOpened]
        id = record.id
        reason = Word(Self.reason(of: record))
        started = KeptTime((moments[.begun] ?? Timestamp()).wall)
        self.verdict = Word(verdict.guarantee)
        guarantee = Verdict.weakestGuarantee(of: record).map { Word($0) }
        reasons = verdict.reasons
        prepareTime = Self.time(from: moments[.begun], to: opened)
        freezeTime = Self.time(from: opened, to: moments[.frozen] ?? thawing)
        holdTime = Self.time(from: moments[.frozen], to: thawing)
        thawTime = Self.time(from: thawing, to: moments[.thawed])
        windowTime = Self.time(from: opened, to: moments[.thawed])
        expired = record.hasExpired
        let begun = moments[.begun]
        hooks = record.runs.map { run in
            Run(
                name: run.name, path: SafeText.clean(run.path), action: Word(run.action), reason: Word(run.reason),
                status: run.end?.status, signal: run.end?.signal, timedOut: run.end?.timedOut ?? false,
                started: KeptTime(run.started.wall), offset: Self.time(from: begun, to: run.started),
                duration: run.end?.duration)
        }
        refusals = record.refusals.map { refusal in
            Refusal(
                name: refusal.path.name, path: SafeText.clean(refusal.path), action: Word(refusal.action),
                why: refusal.reason)
        }
    }

    /// Whether nothing was imaged: it says nothing of a backup.
    package var isRehearsal: Bool { reason == .rehearsal }

    /// The names of the hooks that failed or were not called, each once, in the order of the cycle.
    package var failedHooks: [String] {
        var seen: Set<String> = []
        let names = hooks.filter(\.failed).map(\.name) + refusals.map(\.name)
        return names.filter { seen.insert($0).inserted }
    }

    /// How long the window was, and its parts: `3.000s: freeze 0.500s, hold 2.000s, thaw 0.500s`.
    package var durations: String {
        let parts = [("freeze", freezeTime), ("hold", holdTime), ("thaw", thawTime)]
        let known = parts.compactMap { name, time in time.map { "\(name) \(Self.brief($0))" } }
        var text = windowTime.map(Self.brief) ?? "none"
        if !known.isEmpty { text += ": \(known.joined(separator: ", "))" }
        // Without a hook that prepares it is but the time until the guard was there.
        if let prepareTime, hooks.contains(where: { $0.action == .prepare }) {
            text += "; prepare \(Self.brief(prepareTime))"
        }
        return text
    }

    private static func brief(_ time: Duration) -> String { DurationText.brief(time.inSeconds) }

    /// What the cycle ended with; that of a rehearsal is always the same.
    private static func reason(of record: CycleRecord) -> RunReason {
        if record.isRehearsal { return .rehearsal }
        if let thaw = record.runs.last(where: { $0.action == .thaw }) { return thaw.reason }
        // Rolled back before anything was frozen.
        return record.moments[.frozen] == nil && record.moments[.thawing] != nil ? .rollback : .freeze
    }

    private static func time(from start: Timestamp?, to end: Timestamp?) -> Duration? {
        guard let start, let end else { return nil }
        return end.monotonic - start.monotonic
    }
}
