// SPDX-License-Identifier: Apache-2.0

import FreezeHookBase
import Glibc
import SystemPackage

/// The end of every cycle: the window is closed, no process of the program is left, and the verdict is known.
struct CycleEnding {
    let context: CycleContext
    let cycle: HookSequence

    /// Ends the sessions that hooks forgot and fetches the drainers' lines; the last act of the window.
    func closeWindow(_ record: CycleRecord) {
        guard let runDirectory = context.runDirectory else { return }
        let holds = OpenHolds(runDirectory: runDirectory, settings: context.settings)
        noteLost(holds.lost(in: record))
        for (name, error) in holds.endForgotten(in: record) {
            let ending = error.map { "\($0)" } ?? "ended now"
            cycle.log.write(
                Event(.warning, .holdForgotten, "hold \(name) was still open after all hooks: \(ending)"))
        }
        holds.sweep(record)
        cycle.mark(.thawed)
        for socket in record.drainers {
            let fetched = Drainer.fetch(from: socket, in: runDirectory)
            cycle.log.write(fetched.lines.map(HookEvents.leftover))
            guard fetched.isComplete else {
                cycle.recorder?.append(.fault("output of what hooks left running is lost: its reader was killed"))
                runDirectory.remove(socket)
                continue
            }
            cycle.recorder?.append(.drained(socket: socket))
        }
    }

    /// Records killed holders and logs a killed guard. Before the thaw hooks: their releases would hide the loss.
    func noteLostHolds(_ record: CycleRecord) {
        guard let runDirectory = context.runDirectory else { return }
        noteLost(OpenHolds(runDirectory: runDirectory, settings: context.settings).lost(in: record))
        if let guardian = record.guardian, !guardian.process.isAlive, !record.hasExpired {
            cycle.log.write(Event(.warning, .guardFailed, "the guard had been killed before the thaw"))
        }
    }

    private func noteLost(_ holds: [CycleRecord.Hold]) {
        for hold in holds {
            cycle.recorder?.append(.lost(hold: hold.name, time: nil, reason: "its holder was killed"))
        }
    }

    /// Ends the guard, enters the cycle into the history, and removes the live state. Returns the verdict and the
    /// summary; nil when no freeze began the cycle.
    func finish() -> (verdict: Verdict, summary: CycleSummary)? {
        guard let runDirectory = context.runDirectory else { return nil }
        let record = CycleRecorder.read(in: runDirectory)
        if let record, record.isUnfinished, let guardian = record.guardian { Guard.end(guardian, in: runDirectory) }
        // Before the bookkeeping: what is wrong with a kept file must not keep the cycle open.
        cycle.recorder?.remove()
        // After the record: a writer that has just written the marker finds no record, and removes the marker.
        context.imageMarker.remove()
        guard let record, record.isUnfinished else { return nil }
        let summary = CycleSummary(of: record)
        for problem in Bookkeeping(settings: context.settings, locations: context.locations).enter(summary) {
            cycle.log.write(Event(.warning, .stateUnavailable, problem))
        }
        for hold in record.holds {
            guard case .lost(_, let reason) = hold.ending else { continue }
            cycle.log.write(Event(.error, .holdLost, "hold \(hold.name) was lost in the window: \(reason)"))
        }
        return (Verdict(on: record), summary)
    }
}
