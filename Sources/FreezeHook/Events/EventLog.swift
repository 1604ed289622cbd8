// SPDX-License-Identifier: Apache-2.0

import FreezeHookBase
import SystemPackage

/// The outlets of events: the log, the journal, the run directory and the observer. A broken outlet never decides
/// whether hooks run.
package final class EventLog {
    private var log: LogFile?
    private var journal: Journal?
    private var deferred: DeferredEvents?
    private var logFailureIsReported = false
    /// The observer of the cycle; nil when there is none.
    let observer: (any CycleObserver)?

    /// Opens the log and the journal as the settings say. The journal reports a log that cannot be opened.
    package init(settings: Settings, locations: Locations, cycle: String?, observer: (any CycleObserver)? = nil) {
        self.observer = observer
        journal = settings.journal ? Journal(cycle: cycle) : nil
        do {
            log = try LogFile(path: locations.logFile ?? settings.logFile)
        } catch {
            report(error)
        }
    }

    /// Keeps all events in the run directory until a thaw writes them to the log and the journal.
    init(deferringIn runDirectory: RunDirectory?) {
        observer = nil
        deferred = runDirectory.map(DeferredEvents.init)
    }

    /// Writes the events to every outlet.
    package func write(_ events: [Event]) {
        guard !events.isEmpty else { return }
        deferred?.write(events)
        log?.write(events)
        journal?.write(events)
        observer?.write(events)
        if let failure = log?.failure { report(failure) }
    }

    package func write(_ event: Event) {
        write([event])
    }

    private func report(_ failure: LogError) {
        guard !logFailureIsReported else { return }
        logFailureIsReported = true
        journal?.write([Event(.warning, .logUnavailable, "\(failure); what follows is in the journal alone")])
    }
}
