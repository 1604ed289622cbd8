// SPDX-License-Identifier: Apache-2.0

import FreezeHookBase
import SystemPackage

/// The verdict on an image taken in a cycle's window: its guarantee, and why that is no better.
package struct Verdict: Equatable, Sendable {
    /// The guarantee for the image.
    package var guarantee: Guarantee
    /// The reasons; empty for an application-consistent image.
    package var reasons: [Reason]
    /// The names of the hooks that have succeeded and declare no guarantee: their exit status is all that is known.
    package var undeclared: [String]

    /// The verdict on a cycle as far as its record goes.
    package init(on record: CycleRecord) {
        undeclared = Self.countedRuns(of: record).filter { $0.guarantee == nil && $0.end?.failed == false }.map(\.name)
        reasons = record.faults.map { Reason(.fault, $0) }
        for run in record.runs {
            // A thaw hook that is tried again and again fails for one reason.
            if let reason = Self.fault(of: run), !reasons.contains(reason) { reasons.append(reason) }
        }
        for refusal in record.refusals {
            reasons.append(
                Reason(
                    .hookRefused,
                    "\(refusal.path.name) was not called with \(refusal.action.rawValue): \(refusal.reason)"))
        }
        reasons += record.givenUp.map { Reason(.notThawed, "\($0.name) may still be held: its thaw was given up") }
        if record.hasEnded {
            reasons += record.mayBeHeld.map {
                Reason(.notThawed, "\($0.name) may still be held: the next cycle has to thaw it")
            }
        }
        for hold in record.holds {
            guard case .lost(let time, let reason) = hold.ending else { continue }
            let moment = time?.rfc3339 ?? "an unknown moment"
            reasons.append(Reason(.holdLost, "hold \(hold.name) lost at \(moment): \(reason)"))
        }
        reasons += Self.endedLeftovers(of: record)
        if record.isUnanswered {
            reasons.append(
                Reason(
                    .freezeUnanswered,
                    "the agent thawed before it had answered the freeze: nothing was frozen for an image"))
        }
        if let expired = record.moments[.expired] {
            reasons.append(
                Reason(.guardExpired, "the guard ended the window at \(expired.wall.rfc3339): no thaw had come"))
        }
        if record.moments[.frozen] == nil, record.moments[.thawing] != nil, reasons.isEmpty {
            reasons.append(Reason(.freezeIncomplete, "the freeze did not come to its end"))
        }
        let weakest = Self.weakestGuarantee(of: record)
        if weakest == nil { reasons.append(Reason(.noHookRan, "no hook ran")) }
        if reasons.isEmpty {
            guarantee = weakest ?? .crashConsistent
            if guarantee != .applicationConsistent { reasons = Self.weakHooks(of: record, guarantee) }
        } else {
            guarantee = min(.crashConsistent, weakest ?? .crashConsistent)
        }
    }

    /// The weakest guarantee of the hooks that ran; nil when none ran. A hook that declares none counts as
    /// application-consistent, a hook that had nothing to do does not count.
    package static func weakestGuarantee(of record: CycleRecord) -> Guarantee? {
        countedRuns(of: record).map { $0.guarantee ?? .applicationConsistent }.min()
    }

    /// `crash-consistent: 10-mariadb finished with status=3; …`, or `application-consistent, as far as 10-sql tells`
    package var text: String {
        let doubt = Doubt(Word(guarantee), undeclared: undeclared).map { ", \($0)" } ?? ""
        var text = guarantee.rawValue + doubt
        for (index, reason) in reasons.enumerated() { text += (index == 0 ? ": " : "; ") + reason.text }
        return text
    }

    /// A reason for each hook of which something has ended too early.
    private static func endedLeftovers(of record: CycleRecord) -> [Reason] {
        var paths: [FilePath] = []
        for leftover in record.leftovers where leftover.hasEnded && !paths.contains(leftover.path) {
            paths.append(leftover.path)
        }
        return paths.map { path in
            let ended = record.leftovers.filter { $0.hasEnded && $0.path == path }
            // The earliest end is the one that counts.
            let times = ended.compactMap(\.ended).sorted { $0.microseconds < $1.microseconds }
            let moment = times.first.map { ", at \($0.rfc3339)" } ?? ""
            return Reason(.leftoverEnded, "what \(path.name) left running ended before the thaw\(moment)")
        }
    }

    private static func countedRuns(of record: CycleRecord) -> [CycleRecord.Run] {
        // Two guards: swiftc 6.3.1 crashes when it optimizes both conditions in one expression for size.
        record.runs.filter { run in
            guard run.action == .freeze else { return false }
            guard let end = run.end else { return true }
            return end.status != HookStatus.nothingToDo
        }
    }

    private static func weakHooks(of record: CycleRecord, _ guarantee: Guarantee) -> [Reason] {
        countedRuns(of: record).filter { $0.guarantee == guarantee }.map {
            Reason(.weakGuarantee, "\($0.name) promises no more than \(guarantee.rawValue)")
        }
    }

    private static func fault(of run: CycleRecord.Run) -> Reason? {
        let call = run.action == .freeze ? run.name : "\(run.name) \(run.action.rawValue)"
        guard let end = run.end else { return Reason(.hookCutOff, "\(call) was cut off: the program was killed") }
        guard end.failed else { return nil }
        let explanation = end.explanation.isEmpty ? "" : " (\(end.explanation))"
        return Reason(.hookFailed, "\(call) finished with status=\(end.status)\(explanation)")
    }
}
