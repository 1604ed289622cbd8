// SPDX-License-Identifier: Apache-2.0

import FreezeHookBase
import Glibc
import SystemPackage

/// The end of every cycle: the window is closed, no process of the program is left, and the verdict is known.
struct CycleEnding {
    let context: CycleContext
    let cycle: HookSequence

    /// Ends the sessions that hooks forgot and fetches the drainers' lines; the last act of the window. Returns the hooks
    /// that may still hold their application: the window goes on for them, unless `endsUnthawed`. Without a record only
    /// what the sockets in the run directory lead to.
    func closeWindow(_ record: CycleRecord?, endsUnthawed: Bool = false) -> [FilePath] {
        guard let runDirectory = context.runDirectory else { return [] }
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
        // Read again: the sessions' ends tell which hooks hold nothing any more.
        let held = context.record()?.mayBeHeld ?? []
        if held.isEmpty || endsUnthawed { cycle.mark(.thawed) }
        fetchLines(record, in: runDirectory)
        return held
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
                // The drainer removes it too, unless it is killed before that.
                runDirectory.remove(socket)
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

    /// Logs which hooks may still hold their application, and what is to be done.
    func reportHeld(_ held: [FilePath]) {
        let guardTries = context.record()?.guardian?.process.isAlive ?? false
        for path in held {
            let text =
                "\(path.name) may still be held: \(guardTries ? "the guard tries again, and so does " : "")"
                + "'fsfreeze-hook thaw'; 'fsfreeze-hook thaw --give-up' ends the cycle"
            cycle.log.write(Event(.error, .mayBeHeld, text, [(.hook, path.name)]))
        }
    }

    /// Leaves the cycle open for a later thaw, with its record and its guard. Returns its summary so far; nil when no
    /// freeze began the cycle.
    func keep(mayBeHeld held: [FilePath]) -> CycleSummary? {
        reportHeld(held)
        return context.record().flatMap { $0.wasBegun ? CycleSummary(of: $0) : nil }
    }

    /// Records that the hooks' thaw is given up.
    func giveUp(_ held: [FilePath]) {
        for path in held {
            cycle.recorder?.append(.givenUp(path: path))
            cycle.log.write(
                Event(
                    .error, .mayBeHeld, "\(path.name) may still be held: its thaw is given up", [(.hook, path.name)]))
        }
    }

    /// Ends the cycle in its record, and its guard. Returns the verdict and the summary; nil when no freeze began the
    /// cycle.
    func finish() -> (verdict: Verdict, summary: CycleSummary)? {
        let record = context.unfinishedCycle()
        cycle.mark(.ended)
        // A guard whose cycle has no record would thaw once more; without the lock it may be another run's.
        defer { if let runDirectory = context.runDirectory, runDirectory.hasLock { Guard.sweep(runDirectory) } }
        guard let record else { return nil }
        if let runDirectory = context.runDirectory, let guardian = record.guardian {
            Guard.end(guardian, hasThawed: record.hasExpired, in: runDirectory)
        }
        // A cycle that has ended before is in the history.
        guard record.wasBegun, !record.hasEnded, let record = context.record() else { return nil }
        for hold in record.holds {
            guard case .lost(_, let reason) = hold.ending else { continue }
            cycle.log.write(Event(.error, .holdLost, "hold \(hold.name) was lost in the window: \(reason)"))
        }
        return (Verdict(on: record), CycleSummary(of: record))
    }

    /// Writes all that goes to a disk, in the end and without the lock: a filesystem that is frozen again blocks its
    /// writer, and nobody else must wait for that.
    ///
    /// - Parameters:
    ///   - summary: the cycle that has ended; nil for none.
    ///   - callerHasLock: whether the caller goes on with the lock.
    func settle(_ summary: CycleSummary?, callerHasLock: Bool) {
        cycle.log.takeOver(from: context.runDirectory)
        if !callerHasLock { context.runDirectory?.unlock() }
        if let summary {
            for problem in Bookkeeping(settings: context.settings, locations: context.locations).enter(summary) {
                cycle.log.write(Event(.warning, .stateUnavailable, problem))
            }
        }
        cycle.log.writeOut()
        // After the record's end: a guard that has just written the marker finds that end, and removes the marker.
        guard let runDirectory = context.runDirectory else { return context.imageMarker.remove() }
        // Another run that has the lock already finds the end in the record, and removes it.
        if case .busy = runDirectory.lock(within: .zero) { return context.imageMarker.remove(ofCycle: cycle.id) }
        let record = context.record()
        let isUnfinished = record?.isUnfinished ?? false
        // Another cycle may have begun, and frozen, while the disk was written.
        let isAnother = isUnfinished && record?.id != cycle.id
        context.imageMarker.remove(ofCycle: isAnother ? cycle.id : nil)
        if record != nil && !isUnfinished { cycle.recorder?.remove() }
        DeadFiles(runDirectory: runDirectory, settings: context.settings).sweep(windowIsOpen: isUnfinished)
        if !callerHasLock { runDirectory.unlock() }
    }
}
