import SystemPackage

/// One cycle as `status --json` and the history show it. Keys are only ever added.
package struct CycleSummary: Codable, Equatable {
    /// One run of a hook.
    package struct Run: Codable, Equatable {
        package var name: String
        package var path: String
        package var action: String
        package var reason: String
        package var status: Int32?
        package var signal: Int32?
        package var timedOut: Bool
        package var started: String
        package var seconds: Double?
    }

    package var id: String
    package var reason: String
    package var started: String
    package var verdict: String
    package var guarantee: String?
    package var reasons: [String]
    package var prepareSeconds: Double?
    package var freezeSeconds: Double?
    package var holdSeconds: Double?
    package var thawSeconds: Double?
    package var windowSeconds: Double?
    package var hooks: [Run]

    /// The cycle as far as its record goes.
    package init(of record: CycleRecord) {
        let verdict = Verdict(on: record)
        let moments = record.moments
        let thawing = [moments[.expired], moments[.thawing]].compactMap { $0 }.min { $0.monotonic < $1.monotonic }
        let opened = moments[.windowOpened]
        id = record.id
        reason = (record.runs.last { $0.action == .thaw }?.reason ?? .freeze).rawValue
        started = (moments[.begun] ?? Timestamp()).wall.rfc3339
        self.verdict = verdict.guarantee.rawValue
        guarantee = Verdict.weakestGuarantee(of: record)?.rawValue
        reasons = verdict.reasons
        prepareSeconds = Self.seconds(from: moments[.begun], to: opened)
        freezeSeconds = Self.seconds(from: opened, to: moments[.frozen] ?? thawing)
        holdSeconds = Self.seconds(from: moments[.frozen], to: thawing)
        thawSeconds = Self.seconds(from: thawing, to: moments[.thawed])
        windowSeconds = Self.seconds(from: opened, to: moments[.thawed])
        hooks = record.runs.map { run in
            Run(
                name: run.name, path: SafeText.clean(run.path), action: run.action.rawValue,
                reason: run.reason.rawValue,
                status: run.end?.status, signal: run.end?.signal, timedOut: run.end?.timedOut ?? false,
                started: run.started.wall.rfc3339, seconds: run.end.map { $0.duration.inSeconds })
        }
    }

    private static func seconds(from start: Timestamp?, to end: Timestamp?) -> Double? {
        guard let start, let end else { return nil }
        return (end.monotonic - start.monotonic).inSeconds
    }
}
