// SPDX-License-Identifier: Apache-2.0

import FreezeHookBase
import Glibc

/// A whole cycle of the hooks in which no filesystem is frozen: prepare, freeze, hold, thaw.
package final class Rehearsal {
    private let context: CycleContext
    private let hold: Duration
    private let observer: any CycleObserver

    // The interval at which the record is read: a thaw, a backup or the guard may have ended the window.
    private static let lookInterval = Duration.milliseconds(500)

    /// A rehearsal that holds the applications for this long; the observer gets its events.
    package init(in context: CycleContext, hold: Duration, observer: any CycleObserver) {
        self.context = context
        self.hold = hold
        self.observer = observer
    }

    /// Runs the rehearsal; returns its summary. A request to stop (SIGINT and the like) thaws at once.
    package func run() throws(RehearsalError) -> CycleSummary {
        if case .failure(let error) = context.configuration { throw .configuration(error) }
        if case .failure(let error) = context.openedRunDirectory { throw .runDirectory(error) }
        // A rehearsal that a key stops (SIGTSTP) would leave the applications held.
        for number in [SIGTSTP, SIGTTOU, SIGTTIN] { signal(number, SIG_IGN) }
        defer { context.runDirectory?.unlock() }
        guard let cycle = try cycle() else { throw .recordLost }
        return cycle
    }

    /// Freezes, holds and thaws; nil when the record was lost.
    private func cycle() throws(RehearsalError) -> CycleSummary? {
        let frozen: FrozenCycle
        do {
            frozen = try Freeze(.rehearsal, in: context, begin: .now(), observer: observer).run()
        } catch .rolledBack(let rollback) {
            return rollback.cycle
        } catch {
            throw .refused(error)
        }
        // As after the freeze of a backup: the guard, a thaw and a backup may take the lock.
        context.runDirectory?.unlock()
        let occasion = ThawOccasion.rehearsalEnd(id: frozen.id, fault: wait(for: frozen.id))
        let outcome = withExtendedLifetime(frozen) {
            try? Thaw(in: context, observer: observer, recorder: frozen.recorder).run(occasion)
        }
        switch outcome {
        case .ended(let cycle), .unthawed(let cycle): return cycle
        case .expired, .leftAlone, .nothing, nil: return nil
        }
    }

    /// Holds the applications. Returns why the hold ended early; nil when it did not, or the record says why.
    private func wait(for id: String) -> String? {
        let begin = MonotonicTime.now()
        let end = begin + hold
        var nextLook = begin
        while .now() < end {
            var waiting = [context.signals.polled]
            pollDescriptors(&waiting, until: context.signals.latest(min(end, .now() + ObservedWait.interval)))
            _ = context.signals.take()
            if let signal = context.signals.stopRequest {
                return "interrupted by \(signalName(signal)) after a hold of \(DurationText.seconds(.now() - begin)) s"
            }
            observer.tick()
            guard .now() >= nextLook else { continue }
            nextLook = .now() + Self.lookInterval
            guard let record = context.unfinishedCycle(), record.id == id, !record.isBeingThawed else { return nil }
        }
        return nil
    }
}
