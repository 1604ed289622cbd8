import FreezeHook
import FreezeHookBase
import FreezeHookRecipes
import SystemPackage

/// What `status` tells: the present state, where this machine comes from, and how the last cycle went.
package struct Status: Shown {
    /// What is being done with the applications.
    package enum State: String, Encodable {
        case thawed, freezing, frozen, thawing
    }

    /// A session that is kept open.
    package struct Hold: Encodable {
        /// The session's name.
        package var name: String
        /// The name of the hook that opened it; empty when it was none.
        package var hook: String
        /// Whether it still holds.
        package var alive: Bool
    }

    /// The image that this machine came from.
    package struct Image: Encodable {
        /// The id of the cycle in whose window it was taken.
        package var cycle: String
        /// When the window began, RFC 3339.
        package var taken: String
        /// The raw value of the `Guarantee` that it has.
        package var verdict: String
        /// Why it is no better one.
        package var reasons: [String]
    }

    /// What is being done with the applications now.
    package var state: State
    package var frozenSince: String?
    package var guardSecondsLeft: Double?
    /// The sessions of the cycle that is open, but those that were released.
    package var holds: [Hold] = []
    package var image: Image?
    /// The last cycle that was no rehearsal.
    package var last: CycleSummary?
    /// The last rehearsal, when that was later.
    package var rehearsal: CycleSummary?
    /// Whether what is frozen now is a rehearsal; left out when it is not.
    package var rehearsing: Bool?
    /// The last cycles, rehearsals among them, when they were asked for.
    package var cycles: [CycleSummary]?
    /// What has to be done, and the command that does it.
    package var attention: String?

    /// Why nothing is known of past cycles.
    private(set) var historyProblem: String?

    // The history in an image is that of the cycles before it.
    private var imageDecides = false

    private enum CodingKeys: CodingKey {
        case state, frozenSince, guardSecondsLeft, holds, image, last, rehearsal, rehearsing, cycles, attention
    }

    /// The status of this machine now, with so many past cycles. Reading it changes nothing.
    package init(locations: Locations, settings: Settings, cycles count: Int? = nil) {
        let directory = StateDirectory(path: locations.stateDirectory)
        let history = History(directory: directory, limit: settings.historyLimit)
        do {
            (last, rehearsal) = try history.newest()
            if let count { cycles = try history.cycles().suffix(count) }
        } catch {
            let advice = error == .permissionDenied ? "; call it as root" : ""
            let problem = "the history in \(SafeText.clean(locations.stateDirectory)) cannot be read: \(error)\(advice)"
            historyProblem = problem
            attention = problem
        }
        let marker = ImageMarker(directory: directory, bootID: KernelID.boot)
        imageDecides = marker.isUntouched
        if let origin = marker.origin {
            let verdict = Verdict(on: origin)
            let taken = (origin.moments[.frozen] ?? Timestamp()).wall.rfc3339
            image = Image(cycle: origin.id, taken: taken, verdict: verdict.guarantee.rawValue, reasons: verdict.reasons)
        }
        state = .thawed
        guard let runDirectory = RunDirectory.existing(locations.runDirectory),
            let record = CycleRecorder.read(in: runDirectory), record.isUnfinished
        else { return }
        describe(record, isWorkedOn: runDirectory.isLocked, settings: settings)
    }

    private mutating func describe(_ record: CycleRecord, isWorkedOn: Bool, settings: Settings) {
        rehearsing = record.isRehearsal ? true : nil
        if record.hasExpired {
            state = isWorkedOn ? .thawing : .thawed
            attention =
                "the guard has ended the window of cycle \(record.id) and its thaw has not come: fsfreeze-hook thaw"
        } else if record.moments[.thawing] != nil {
            state = .thawing
        } else {
            state = record.isFrozen ? .frozen : .freezing
        }
        if !isWorkedOn && !record.isFrozen {
            attention = "the freeze of cycle \(record.id) was killed: fsfreeze-hook recover"
        }
        if let frozen = record.moments[.frozen], state == .frozen {
            frozenSince = frozen.wall.rfc3339
            if record.guardian?.process.isAlive == true {
                guardSecondsLeft = max(0, (settings.holdLimit - (.now() - frozen.monotonic)).inSeconds)
            } else if record.guardian != nil {
                attention =
                    "the guard of cycle \(record.id) has been killed: nothing ends the window but fsfreeze-hook thaw"
            }
        }
        holds = record.holds.filter { $0.ending != .released }.map { hold in
            Hold(name: hold.name, hook: hold.hook, alive: hold.ending == nil && hold.holder.isAlive)
        }
        if let dead = holds.first(where: { !$0.alive }) { attention = "the session \(dead.name) has ended too early" }
    }

    /// Whether all is as it should be: nothing needs attention, and the image or the last cycle is application-consistent.
    package var isGood: Bool {
        if attention != nil { return false }
        if state != .thawed { return true }
        if let image, imageDecides { return image.verdict == Guarantee.applicationConsistent.rawValue }
        return last?.verdict == Guarantee.applicationConsistent.rawValue
    }

    /// The status as text.
    package func lines(for terminal: Terminal) -> [String] {
        var lines = ["state:      \(state.rawValue)"]
        if rehearsing == true { lines[0] += ", a rehearsal" }
        if let frozenSince { lines[0] += " since \(frozenSince)" }
        if let guardSecondsLeft {
            lines.append("guard:      ends the window in \(Int(guardSecondsLeft.rounded(.up))) s")
        }
        for hold in holds {
            let owner = hold.hook.isEmpty ? "" : " for \(hold.hook)"
            lines.append("hold:       \(hold.name)\(owner): \(hold.alive ? "open" : "lost")")
        }
        if let attention { lines.append("attention:  \(attention)") }
        if let image {
            lines.append("image:      this machine comes from the image of cycle \(image.cycle), taken \(image.taken)")
            lines.append("            \(image.verdict)")
            lines += image.reasons.map { "            - \($0)" }
        }
        lines += last.map { Self.lines(of: $0, "last cycle: ") } ?? ["last cycle: none yet"]
        if let rehearsal { lines += Self.lines(of: rehearsal, "rehearsal:  ") }
        lines = lines.flatMap { line in
            // A reason's second line stands below the first, behind its dash.
            TextWrap.lines(of: line, columns: terminal.columns, indent: line.hasPrefix("            - ") ? 14 : 12)
        }
        if let cycles { lines += [""] + HistoryTable(cycles).lines(for: terminal) }
        return lines
    }

    private static func lines(of cycle: CycleSummary, _ title: String) -> [String] {
        var lines = ["\(title)\(cycle.verdict), \(cycle.started) (\(cycle.id))"]
        lines += cycle.reasons.map { "            - \($0)" }
        if cycle.windowSeconds != nil { lines.append("            window \(cycle.durations)") }
        return lines
    }
}
