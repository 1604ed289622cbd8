// SPDX-License-Identifier: Apache-2.0

import FreezeHookBase
import SystemPackage

/// The work of the guard alone: ends a window that nobody else will end.
struct Expiry {
    /// The id of the cycle.
    let cycle: String
    let context: CycleContext
    /// The settings that the guard was started with: the file may have been broken in the window.
    let settings: Settings

    // A thaw waits for the guard's lock meanwhile.
    private static let markerPatience = Duration.seconds(2)

    /// Thaws because no thaw came in time.
    func endWindow() {
        // Without the context the guard lives on, and its lock would.
        defer { context.runDirectory?.unlock() }
        let occasion = ThawOccasion.expiry(id: cycle, limit: settings.holdLimit)
        // An expiry goes on without the lock, so that the thaw throws nothing.
        let outcome = try? Thaw(in: context).run(occasion) { sequence in
            if Self.thawsFilesystems(of: sequence.kind, under: settings) { thawFilesystems(in: sequence) }
        }
        guard case .expired(let kind, again: false) = outcome,
            Self.correctsImageMarker(of: kind, under: settings, agentIsFrozen: context.agentIsFrozen)
        else { return }
        correctImageMarker()
    }

    /// Thaws because the freeze was killed before its end.
    func recoverAfterKill() {
        _ = try? Thaw(in: context).run(.killedFreeze(id: cycle))
    }

    /// Thaws what a thaw has left held.
    func tryAgain() {
        _ = try? Thaw(in: context).run(.retry(id: cycle))
    }

    /// Whether the filesystems are thawed too: a rehearsal has frozen none.
    static func thawsFilesystems(of kind: CycleKind, under settings: Settings) -> Bool {
        kind == .backup && settings.thawFilesystems
    }

    /// Whether the image marker is written again: an image taken from now on must not claim that applications were
    /// held. While qemu-ga holds the filesystems frozen, disk and marker stay as they were. A rehearsal has no marker.
    static func correctsImageMarker(of kind: CycleKind, under settings: Settings, agentIsFrozen: Bool) -> Bool {
        kind == .backup && (settings.thawFilesystems || !agentIsFrozen)
    }

    private func thawFilesystems(in sequence: HookSequence) {
        let mountPoints = FilesystemThaw.run()
        guard !mountPoints.isEmpty else { return }
        let names = mountPoints.map { SafeText.clean($0) }.joined(separator: ", ")
        sequence.recorder?.append(.fault("the guard thawed the filesystems \(names) at \(WallTime.now().rfc3339)"))
        sequence.log.write(Event(.error, .windowExpired, "the guard thawed the filesystems \(names)"))
    }

    private func correctImageMarker() {
        try? MarkerWriter.settle(cycle: cycle, context.locations, until: .now() + Self.markerPatience)
    }
}
