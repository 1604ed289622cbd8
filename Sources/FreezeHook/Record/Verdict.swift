import FreezeHookBase
import SystemPackage

/// How good an image taken in a cycle's window is, and why it is no better.
package struct Verdict: Equatable, Sendable {
    /// What can be promised of the image.
    package var guarantee: Guarantee
    /// Empty for an application-consistent image.
    package var reasons: [String]

    /// The verdict on a cycle as far as its record goes.
    package init(on record: CycleRecord) {
        reasons = record.faults
        for run in record.runs {
            if let reason = Self.fault(of: run) { reasons.append(reason) }
        }
        for refusal in record.refusals {
            reasons.append("\(refusal.path.name) was not called with \(refusal.action.rawValue): \(refusal.reason)")
        }
        for hold in record.holds {
            guard case .lost(let time, let reason) = hold.ending else { continue }
            reasons.append("hold \(hold.name) lost at \(time?.rfc3339 ?? "an unknown moment"): \(reason)")
        }
        if let expired = record.moments[.expired] {
            reasons.append("the guard ended the window at \(expired.wall.rfc3339): no thaw had come")
        }
        if record.moments[.frozen] == nil, record.moments[.thawing] != nil, reasons.isEmpty {
            reasons.append("the freeze did not come to its end")
        }
        let weakest = Self.weakestGuarantee(of: record)
        if weakest == nil { reasons.append("no hook ran") }
        if reasons.isEmpty {
            guarantee = weakest ?? .crashConsistent
            if guarantee != .applicationConsistent { reasons = Self.weakHooks(of: record, guarantee) }
        } else {
            guarantee = min(.crashConsistent, weakest ?? .crashConsistent)
        }
    }

    /// What the hooks that ran promise together; nil when none ran. A hook that declares nothing counts as
    /// application-consistent, one that had nothing to do does not count.
    package static func weakestGuarantee(of record: CycleRecord) -> Guarantee? {
        countedRuns(of: record).map { $0.guarantee ?? .applicationConsistent }.min()
    }

    /// `crash-consistent: 10-mariadb finished with status=3; …`
    package var text: String {
        reasons.isEmpty ? guarantee.rawValue : "\(guarantee.rawValue): \(reasons.joined(separator: "; "))"
    }

    private static func countedRuns(of record: CycleRecord) -> [CycleRecord.Run] {
        record.runs.filter { $0.action == .freeze && $0.end?.status != HookStatus.nothingToDo }
    }

    private static func weakHooks(of record: CycleRecord, _ guarantee: Guarantee) -> [String] {
        countedRuns(of: record).filter { $0.guarantee == guarantee }.map {
            "\($0.name) promises no more than \(guarantee.rawValue)"
        }
    }

    private static func fault(of run: CycleRecord.Run) -> String? {
        let call = run.action == .freeze ? run.name : "\(run.name) \(run.action.rawValue)"
        guard let end = run.end else { return "\(call) was cut off: the program was killed" }
        guard end.failed else { return nil }
        let explanation = end.explanation.isEmpty ? "" : " (\(end.explanation))"
        return "\(call) finished with status=\(end.status)\(explanation)"
    }
}
