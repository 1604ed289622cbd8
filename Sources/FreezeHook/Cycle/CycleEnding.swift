// SPDX-License-Identifier: Apache-2.0

import FreezeHookBase
import Glibc
import SystemPackage

/// The end of every cycle: the window is closed, no process of the program is left, and the verdict is known.
struct CycleEnding {
    let context: CycleContext
    let cycle: HookSequence

    /// Ends the sessions that hooks forgot and fetches the drainers' lines; the last act of the window. Without a record
    /// only what the sockets in the run directory tell of.
    func closeWindow(_ record: CycleRecord?) {
        guard let runDirectory = context.runDirectory else { return }
        let holds = OpenHolds(runDirectory: runDirectory, settings: context.settings)
        if let record {
            noteLost(holds.lost(in: record))
            for (name, error) in holds.endForgotten(in: record) {
                let ending = error.map { "\($0)" } ?? "ended now"
                cycle.log.write(
                    Event(.warning, .holdForgotten, "hold \(name) was still open after all hooks: \(ending)"))
                guard let error, error.leavesEndUnknown else { continue }
                cycle.recorder?.append(.lost(hold: name, time: nil, reason: "\(error)"))
            }
            holds.sweep(record)
        }
        holds.sweepKilledHolders()
        cycle.mark(.thawed)
        fetchLines(record, in: runDirectory)
    }

    /// Fetches the lines of this cycle's drainers, and those of drainers that no record names any more.
    private func fetchLines(_ record: CycleRecord?, in runDirectory: RunDirectory) {
        let recorded = record?.drainers ?? []
        let own = Drainer.socketPrefix + cycle.id
        // Without the lock another run may be at work, whose drainers are no business of this one.
        let others = runDirectory.names().filter {
            $0.hasPrefix(own) || runDirectory.hasLock && $0.hasPrefix(Drainer.socketPrefix)
        }.filter { !recorded.contains($0) }
        for socket in recorded + others {
            let fetched = Drainer.fetch(from: socket, in: runDirectory)
            cycle.log.write(fetched.lines.map(HookEvents.leftover))
            guard let fault = fetched.fault else {
                if recorded.contains(socket) { cycle.recorder?.append(.drained(socket: socket)) }
                continue
            }
            if recorded.contains(socket) || socket.hasPrefix(own) {
                cycle.recorder?.append(.fault("output of what hooks left running is lost: \(fault)"))
            }
            if fault == .gone { runDirectory.remove(socket) }
        }
    }

    /// Records killed holders and logs a killed guard. Before the thaw hooks: their releases would hide the loss.
    func noteLostHolds(_ record: CycleRecord) {
        guard let runDirectory = context.runDirectory else { return }
        // A stopped process answers nobody.
        for process in record.openHolds.map(\.holder) + [record.guardian?.process].compactMap({ $0 }) {
            process.resume()
        }
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
        defer {
            cycle.recorder?.remove()
            // After the record: a guard that has just written the marker finds no record, and removes the marker.
            context.imageMarker.remove()
        }
        defer {
            // A guard whose cycle has no record would thaw once more; without the lock it may be another run's.
            if runDirectory.hasLock { Guard.sweep(runDirectory) }
        }
        guard let record, record.isUnfinished else { return nil }
        if let guardian = record.guardian { Guard.end(guardian, hasThawed: record.hasExpired, in: runDirectory) }
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
