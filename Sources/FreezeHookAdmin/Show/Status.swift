// SPDX-License-Identifier: Apache-2.0

import FreezeHook
import FreezeHookBase
import SystemPackage

/// The result of `status`: the present state, the image that this machine comes from, and the last cycle.
package struct Status: Shown {
    /// The state of the applications.
    package enum State: String, Encodable {
        case thawed, freezing, frozen, thawing
    }

    /// A session that is kept open.
    package struct Hold: Encodable, Equatable {
        /// The session's name.
        package var name: String
        /// The name of the hook that opened the session; empty when no hook did.
        package var hook: String
        /// Whether the session still holds.
        package var alive: Bool
    }

    /// The image that this machine came from.
    package struct Image: Encodable {
        /// The id of the cycle in whose window the image was taken.
        package var cycle: String
        /// The begin of the window.
        package var taken: KeptTime
        /// The verdict on the image.
        package var verdict: Guarantee
        /// The reasons of the verdict.
        package var reasons: [Reason]
        /// The names of the hooks that succeeded and declare no guarantee.
        package var undeclared: [String]

        fileprivate var doubt: Doubt? { Doubt(Word(verdict), undeclared: undeclared) }

        private enum CodingKeys: CodingKey {
            case cycle, taken, verdict, reasons, reasonKinds, undeclared
        }

        package func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encode(cycle, forKey: .cycle)
            try container.encode(taken.text, forKey: .taken)
            try container.encode(verdict.rawValue, forKey: .verdict)
            try container.encode(reasons.texts, forKey: .reasons)
            try container.encodeIfPresent(reasons.kinds, forKey: .reasonKinds)
            try container.encode(undeclared, forKey: .undeclared)
        }
    }

    /// The present state of the applications.
    package var state: State
    /// The end of the freeze; nil unless applications are held.
    package var frozenSince: WallTime?
    /// The time until the guard ends the window; nil when no guard would.
    package var guardTimeLeft: Duration?
    /// The sessions of the open cycle that have not been released.
    package var holds: [Hold] = []
    /// The image that this machine comes from; nil for none.
    package var image: Image?
    /// The last cycle that was no rehearsal.
    package var last: CycleSummary?
    /// The last rehearsal, when it is later than `last`.
    package var rehearsal: CycleSummary?
    /// Whether the open cycle is a rehearsal; nil, and left out, when it is not.
    package var rehearsing: Bool?
    /// The last cycles with rehearsals, when they were asked for.
    package var cycles: [CycleSummary]?
    /// The states to act on, the weightiest first.
    package var attentions: [Attention] = []

    /// The error of reading the history; nil when it could be read.
    private(set) var historyProblem: Attention?

    // The history in an image ends before the cycle of the image.
    private var imageDecides = false

    private enum CodingKeys: CodingKey {
        case state, frozenSince, guardSecondsLeft, holds, image, last, rehearsal, rehearsing, cycles
        /// The description of the first of `attentions`.
        case attention
        case attentions
    }

    /// The present status of this machine, with the last `count` cycles. Reading it changes nothing.
    package init(locations: Locations, settings: Settings, cycles count: Int? = nil) {
        let directory = StateDirectory(path: locations.stateDirectory)
        let history = History(directory: directory, limit: settings.historyLimit)
        do {
            (last, rehearsal) = try history.newest()
            if let count { cycles = try history.cycles().suffix(count) }
        } catch {
            historyProblem = .historyUnreadable(place: SafeText.clean(locations.stateDirectory), reason: error)
        }
        let marker = ImageMarker(directory: directory, bootID: KernelID.boot)
        imageDecides = marker.isUntouched
        if let origin = marker.origin {
            let verdict = Verdict(on: origin)
            let taken = KeptTime((origin.moments[.frozen] ?? Timestamp()).wall)
            image = Image(
                cycle: origin.id, taken: taken, verdict: verdict.guarantee, reasons: verdict.reasons,
                undeclared: verdict.undeclared)
        }
        state = .thawed
        if let runDirectory = RunDirectory.existing(locations.runDirectory) {
            showWindow(in: runDirectory, history, holdLimit: settings.holdLimit)
        }
        if let historyProblem { attentions.append(historyProblem) }
    }

    private mutating func showWindow(in runDirectory: RunDirectory, _ history: History, holdLimit: Duration) {
        let isWorkedOn = runDirectory.isLocked
        let record = CycleRecorder.read(in: runDirectory)
        if let record, record.isUnfinished {
            show(
                WindowState(
                    of: record, isWorkedOn: isWorkedOn, holdLimit: holdLimit, now: .now(), isAlive: \.isAlive))
            return
        }
        // A freeze or thaw that runs begins or ends a cycle right now.
        if isWorkedOn { return }
        let lost = Guard.cycle(in: runDirectory) { $0 == record?.id || history.cycle($0) != nil }
        guard let lost else { return }
        // A guard that has ended a window has made a record.
        state = .frozen
        attentions.append(.recordLost(cycle: lost))
    }

    private mutating func show(_ window: WindowState) {
        state = window.state
        rehearsing = window.isRehearsal ? true : nil
        frozenSince = window.frozenSince
        guardTimeLeft = window.guardTimeLeft
        holds = window.holds
        attentions = window.attentions
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(state, forKey: .state)
        try container.encodeIfPresent(frozenSince?.rfc3339, forKey: .frozenSince)
        try container.encodeIfPresent(guardTimeLeft?.inSeconds, forKey: .guardSecondsLeft)
        try container.encode(holds, forKey: .holds)
        try container.encodeIfPresent(image, forKey: .image)
        try container.encodeIfPresent(last, forKey: .last)
        try container.encodeIfPresent(rehearsal, forKey: .rehearsal)
        try container.encodeIfPresent(rehearsing, forKey: .rehearsing)
        try container.encodeIfPresent(cycles, forKey: .cycles)
        try container.encodeIfPresent(attentions.first?.description, forKey: .attention)
        try container.encode(attentions, forKey: .attentions)
    }

    /// Whether nothing needs attention, and the image or the last cycle is application-consistent; an open cycle leaves
    /// both out of account.
    package var isGood: Bool {
        if !attentions.isEmpty { return false }
        if state != .thawed { return true }
        if let image, imageDecides { return image.verdict == .applicationConsistent }
        return last.map { $0.verdict == .applicationConsistent } ?? false
    }

    /// The status as text.
    package func lines(for terminal: Terminal) -> [String] {
        var rows: [Row] = [.field("state:", stateText)]
        if let guardTimeLeft {
            rows.append(.field("guard:", "ends the window in \(Int(guardTimeLeft.inSeconds.rounded(.up))) s"))
        }
        for hold in holds {
            let owner = hold.hook.isEmpty ? "" : " for \(hold.hook)"
            rows.append(.field("hold:", "\(hold.name)\(owner): \(hold.alive ? "open" : "lost")"))
        }
        rows += attentions.map { .field("attention:", "\($0)") }
        if let image {
            rows.append(
                .field("image:", "this machine comes from the image of cycle \(image.cycle), taken \(image.taken.text)")
            )
            let doubt = image.doubt.map { ", \($0)" } ?? ""
            rows += [.more(image.verdict.rawValue + doubt)] + image.reasons.map { .reason($0.text) }
        }
        rows += last.map { Self.rows(of: $0, "last cycle:") } ?? [.field("last cycle:", "none yet")]
        if let rehearsal { rows += Self.rows(of: rehearsal, "rehearsal:") }
        let lines = rows.flatMap { $0.lines(columns: terminal.columns) }
        return cycles.map { lines + [""] + HistoryTable($0).lines(for: terminal) } ?? lines
    }

    private var stateText: String {
        let kind = rehearsing == true ? ", a rehearsal" : ""
        return "\(state.rawValue)\(kind)\(frozenSince.map { " since \($0.rfc3339)" } ?? "")"
    }

    private static func rows(of cycle: CycleSummary, _ name: String) -> [Row] {
        var rows: [Row] = [.field(name, "\(cycle.verdict.text), \(cycle.started.text) (\(cycle.id))")]
        if let doubt = cycle.doubt { rows.append(.more("\(doubt)")) }
        rows += cycle.reasons.map { .reason($0.text) }
        if cycle.windowTime != nil { rows.append(.more("window \(cycle.durations)")) }
        return rows
    }
}

/// A part of the status as text.
private enum Row {
    case field(String, String)
    /// A line below a field's text.
    case more(String)
    case reason(String)

    // One more than the longest name, "last cycle:".
    private static let margin = 12

    func lines(columns: Int?) -> [String] {
        let blanks = String(repeating: " ", count: Self.margin)
        return switch self {
        case .field(let name, let text):
            TextWrap.lines(of: TextWidth.padded(name, to: Self.margin) + text, columns: columns, indent: Self.margin)
        case .more(let text):
            TextWrap.lines(of: blanks + text, columns: columns, indent: Self.margin)
        case .reason(let text):
            // Further lines begin behind the dash of the first.
            TextWrap.lines(of: "\(blanks)- \(text)", columns: columns, indent: Self.margin + 2)
        }
    }
}
