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
        /// The action of the call.
        package var action: Word<HookAction>
        /// The reason of the call.
        package var reason: Word<RunReason>
        /// The exit status, or the shell's number for another ending; nil when the record has no ending.
        package var status: Int32?
        /// The signal that killed the hook's process.
        package var signal: Int32?
        /// Whether the run exceeded its time limit.
        package var timedOut: Bool
        /// The moment of the call.
        package var started: KeptTime
        /// The time from the cycle's start to the run's; nil in the history of older versions.
        package var offset: Duration?
        /// The time from start to end; nil when the program was killed meanwhile.
        package var duration: Duration?

        /// Whether the run counts against the verdict: its status is a failure, or missing as the program was killed.
        package var failed: Bool { status.map(HookStatus.isFailure) ?? true }
    }

    /// A hook that was not called, which counts as a failure.
    package struct Refusal: Equatable {
        /// The hook's file name, cleaned.
        package var name: String
        /// The hook's path, cleaned.
        package var path: String
        /// The action of the call that was refused.
        package var action: Word<HookAction>
        /// The reason of the refusal, in words.
        package var why: String
    }

    /// The cycle's id, a UUID.
    package var id: String
    /// The reason with which the cycle ended.
    package var reason: Word<RunReason>
    /// The moment at which the cycle began.
    package var started: KeptTime
    /// The verdict on an image of the window.
    package var verdict: Word<Guarantee>
    /// The weakest guarantee of the hooks that ran; nil when none ran.
    package var guarantee: Word<Guarantee>?
    /// Why the image is no better; empty for an application-consistent one.
    package var reasons: [Reason]
    /// The names of the hooks that have succeeded and declare no guarantee; nil in the history of older versions.
    package var undeclared: [String]?
    /// The time from the cycle's beginning to the window's. This and the next four are nil for a part without an end.
    package var prepareTime: Duration?
    /// The time from the window's beginning to the end of the last freeze hook.
    package var freezeTime: Duration?
    /// The time from the end of the last freeze hook to the beginning of the thaw.
    package var holdTime: Duration?
    /// The time from the thaw's beginning to its end.
    package var thawTime: Duration?
    /// The time from the window's beginning to the thaw's end.
    package var windowTime: Duration?
    /// Whether the guard has ended the window; false in the history of versions that do not say.
    package var expired: Bool
    /// The runs of hooks, in their order.
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
        undeclared = verdict.undeclared
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

    /// Whether the cycle was a rehearsal, without an image.
    package var isRehearsal: Bool { reason == .rehearsal }

    /// What the verdict rests on, where hooks declare no guarantee; nil where it rests on none of these.
    package var doubt: Doubt? { Doubt(verdict, undeclared: undeclared ?? []) }

    /// The names of the hooks that failed or were not called, each once, in the order of the cycle.
    package var failedHooks: [String] {
        var seen: Set<String> = []
        let names = hooks.filter(\.failed).map(\.name) + refusals.map(\.name)
        return names.filter { seen.insert($0).inserted }
    }

    /// The length of the window and its parts: `3.000s: freeze 0.500s, hold 2.000s, thaw 0.500s`.
    package var durations: String {
        let parts = [("freeze", freezeTime), ("hold", holdTime), ("thaw", thawTime)]
        let known = parts.compactMap { name, time in time.map { "\(name) \(Self.brief($0))" } }
        var text = windowTime.map(Self.brief) ?? "none"
        if !known.isEmpty { text += ": \(known.joined(separator: ", "))" }
        // Without a prepare hook this is only the guard's start.
        if let prepareTime, hooks.contains(where: { $0.action == .prepare }) {
            text += "; prepare \(Self.brief(prepareTime))"
        }
        return text
    }

    private static func brief(_ time: Duration) -> String { DurationText.brief(time.inSeconds) }

    /// The reason with which the cycle ended; `rehearsal` for every rehearsal.
    private static func reason(of record: CycleRecord) -> RunReason {
        if record.isRehearsal { return .rehearsal }
        if let thaw = record.runs.last(where: { $0.action == .thaw }) { return thaw.reason }
        // No hook was thawed: the freeze was rolled back before its first hook, or no thaw has come.
        return record.moments[.frozen] == nil && record.moments[.thawing] != nil ? .rollback : .freeze
    }

    private static func time(from start: Timestamp?, to end: Timestamp?) -> Duration? {
        guard let start, let end else { return nil }
        return end.monotonic - start.monotonic
    }
}
