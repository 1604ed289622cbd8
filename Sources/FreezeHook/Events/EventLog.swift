// SPDX-License-Identifier: Apache-2.0

import FreezeHookBase
import SystemPackage

/// The outlets of events: the log, the journal, the run directory and the observer. A broken outlet never decides
/// whether hooks run.
package final class EventLog {
    private static let journalCount = 32

    private let path: FilePath
    private let usesJournal: Bool
    private let cycle: String?
    private var outlets: (log: LogFile?, journal: Journal?)?
    private var deferred: DeferredEvents?
    /// The events that wait in memory; nil when they are written at once.
    private var heldBack: HeldEvents?
    private var logFailureIsReported = false
    /// The observer of the cycle; nil when there is none.
    let observer: (any CycleObserver)?

    /// Opens the log and the journal as the settings say. The journal reports a log that cannot be opened.
    package convenience init(
        settings: Settings, locations: Locations, cycle: String?, observer: (any CycleObserver)? = nil
    ) {
        self.init(settings, locations, cycle, observer)
        open()
    }

    /// Holds all events back, as `holdBack` does, and opens neither the log nor the journal before `writeOut`.
    convenience init(
        heldBackIn runDirectory: RunDirectory?, settings: Settings, locations: Locations, cycle: String?,
        observer: (any CycleObserver)?
    ) {
        self.init(settings, locations, cycle, observer)
        holdBack(in: runDirectory)
    }

    /// Keeps all events in the run directory until a thaw writes them to the log and the journal.
    init(deferringIn runDirectory: RunDirectory?) {
        path = ""
        usesJournal = false
        cycle = nil
        outlets = (nil, nil)
        observer = nil
        deferred = runDirectory.map(DeferredEvents.init)
    }

    private init(
        _ settings: Settings, _ locations: Locations, _ cycle: String?, _ observer: (any CycleObserver)?
    ) {
        path = locations.logFile ?? settings.logFile
        usesJournal = settings.journal
        self.cycle = cycle
        self.observer = observer
    }

    /// From now on events wait: a log on a filesystem that is frozen, or is so again, blocks its writer, and applications
    /// would stay locked behind it. They wait in memory, and for a later thaw in the run directory too, should this
    /// process be killed; events that wait there already come first.
    func holdBack(in runDirectory: RunDirectory?) {
        guard heldBack == nil else { return }
        heldBack = HeldEvents(runDirectory.map(DeferredEvents.waiting) ?? [])
        deferred = runDirectory.map(DeferredEvents.init)
    }

    /// Takes what was held back out of the run directory. As long as this run has the lock: the next one writes what it
    /// finds there.
    func takeOver(from runDirectory: RunDirectory?) {
        guard heldBack != nil else { return }
        deferred = nil
        if let runDirectory { DeferredEvents.remove(from: runDirectory) }
    }

    /// Writes what was held back to the log and the journal; from now on events are written at once.
    func writeOut() {
        guard let events = heldBack?.events else { return }
        heldBack = nil
        open()
        send(events)
    }

    /// Writes the events to every outlet.
    package func write(_ events: [Event]) {
        guard !events.isEmpty else { return }
        observer?.write(events)
        deferred?.write(events)
        if heldBack == nil { send(events) } else { heldBack?.add(events) }
    }

    package func write(_ event: Event) {
        write([event])
    }

    private func open() {
        guard outlets == nil else { return }
        let journal = usesJournal ? Journal(cycle: cycle) : nil
        do {
            outlets = (try LogFile(path: path), journal)
        } catch {
            outlets = (nil, journal)
            report(error)
        }
    }

    private func send(_ events: [Event]) {
        guard let outlets, !events.isEmpty else { return }
        outlets.log?.write(events)
        // The journal has a time limit for each call, whatever was held back.
        for start in stride(from: 0, to: events.count, by: Self.journalCount) {
            outlets.journal?.write(Array(events[start..<min(start + Self.journalCount, events.count)]))
        }
        if let failure = outlets.log?.failure { report(failure) }
    }

    private func report(_ failure: LogError) {
        guard !logFailureIsReported else { return }
        logFailureIsReported = true
        outlets?.journal?.write([Event(.warning, .logUnavailable, "\(failure); what follows is in the journal alone")])
    }
}

/// Events that wait in memory. The lines that hooks print are bounded; all others are few for each hook.
private struct HeldEvents {
    // OutputCapture bounds the output of one hook; this bounds that of many.
    private static let sizeLimit = 8 << 20
    private(set) var kept: [Event]
    private var size = 0
    private var dropped = 0

    init(_ events: [Event]) { kept = events }

    /// The events, and how many lines were too many.
    var events: [Event] {
        if dropped == 0 { return kept }
        let text = "\(CountText.format(dropped, "line")) of output were dropped while the log waited for the thaw"
        return kept + [Event(.warning, nil, text)]
    }

    mutating func add(_ events: [Event]) {
        for event in events {
            let isOutput = event.messageID == nil
            guard !isOutput || size < Self.sizeLimit else {
                dropped += 1
                continue
            }
            size += event.text.utf8.count
            kept.append(event)
        }
    }
}
