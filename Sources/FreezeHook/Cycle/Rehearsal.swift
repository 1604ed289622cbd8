import FreezeHookBase
import Glibc

/// Why a rehearsal is not begun.
package enum RehearsalError: Error, CustomStringConvertible {
    /// Without its configuration it would rehearse something else.
    case configuration(ConfigurationError)
    /// Without the run directory nobody would thaw what a killed rehearsal leaves behind.
    case runDirectory(RunDirectoryError)

    package var description: String {
        switch self {
        case .configuration(let error): "\(error)"
        case .runDirectory(let error): "\(error)"
        }
    }
}

/// A whole cycle of the hooks in which no filesystem is frozen: prepare, freeze, hold, thaw.
package final class Rehearsal {
    private let context: CycleContext
    private let hold: Duration
    private let observer: any CycleObserver

    /// How a rehearsal ended.
    package enum Outcome {
        /// Nothing was run, and why.
        case refused(CommandResult)
        /// It ran; nil when its record was lost.
        case ended(CycleSummary?)
    }

    // How often it is looked whether the window is still this rehearsal's.
    private static let lookInterval = Duration.milliseconds(500)

    /// A rehearsal that holds the applications for this long; the observer is told what happens.
    package init(in context: CycleContext, hold: Duration, observer: any CycleObserver) {
        self.context = context
        self.hold = hold
        self.observer = observer
    }

    /// Runs it to its end. A request to stop (SIGINT and the like) thaws at once.
    package func run() throws(RehearsalError) -> Outcome {
        if let error = context.configurationError { throw .configuration(error) }
        if let error = context.runDirectoryError { throw .runDirectory(error) }
        // Stopped by a key in mid-window, it would leave the applications held.
        for number in [SIGTSTP, SIGTTOU, SIGTTIN] { signal(number, SIG_IGN) }
        defer { context.runDirectory?.unlock() }
        switch Freeze(in: context).rehearse(observer) {
        case .refused(let result):
            return .refused(result)
        case .rolledBack(_, let summary):
            return .ended(summary)
        case .frozen(let id, let link):
            // As after a real freeze: the guard, a thaw and a backup may come in.
            context.runDirectory?.unlock()
            let fault = wait(for: id)
            return withExtendedLifetime(link) { .ended(Thaw(in: context).endRehearsal(id, fault: fault, observer)) }
        }
    }

    /// Holds the applications. Returns why that ended before its time; nil when it did not, or when the record says why.
    private func wait(for id: String) -> String? {
        let begin = MonotonicTime.now()
        let end = begin + hold
        var nextLook = begin
        while .now() < end {
            _ = waitUntilReadable(context.signals.descriptor, until: min(end, .now() + ObservedWait.interval))
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
