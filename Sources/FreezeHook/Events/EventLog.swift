// SPDX-License-Identifier: Apache-2.0

import FreezeHookBase
import SystemPackage

/// Where everything that happens is told: the log, the journal, or what is left of them. It never decides whether
/// hooks run.
package final class EventLog {
    private var log: LogFile?
    private var journal: Journal?
    private var deferred: DeferredEvents?
    private var logFailureIsTold = false
    /// Who looks on, if anybody does.
    let observer: (any CycleObserver)?

    /// Opens the log and the journal as the settings say. A log that cannot be opened is told to the journal.
    package init(settings: Settings, locations: Locations, cycle: String?, observer: (any CycleObserver)? = nil) {
        self.observer = observer
        journal = settings.journal ? Journal(cycle: cycle) : nil
        do {
            log = try LogFile(path: locations.logFile ?? settings.logFile)
        } catch {
            tell(error)
        }
    }

    /// Keeps everything in the run directory until a thaw tells it.
    init(deferringIn runDirectory: RunDirectory?) {
        observer = nil
        deferred = runDirectory.map(DeferredEvents.init)
    }

    /// Writes the events to every place there is.
    package func write(_ events: [Event]) {
        guard !events.isEmpty else { return }
        deferred?.write(events)
        log?.write(events)
        journal?.write(events)
        observer?.write(events)
        if let failure = log?.failure { tell(failure) }
    }

    package func write(_ event: Event) {
        write([event])
    }

    private func tell(_ failure: LogError) {
        guard !logFailureIsTold else { return }
        logFailureIsTold = true
        journal?.write([Event(.warning, .logUnavailable, "\(failure); what follows is in the journal alone")])
    }
}
