// SPDX-License-Identifier: Apache-2.0

import FreezeHookBase

/// The time limits of a freeze, and the failures that end it.
struct FreezePolicy {
    let settings: Settings

    /// The moment after which no hook is called with `freeze` any more; the rest of the time is for a rollback.
    func deadline(from begin: MonotonicTime) -> MonotonicTime {
        begin + (settings.freezeTimeout - settings.rollbackReserve)
    }

    /// The moment after which no hook is called with `prepare` any more.
    func prepareDeadline(from begin: MonotonicTime) -> MonotonicTime { begin + settings.prepareLimit }

    /// The moment until which the image marker is waited for; the last hook may have used all time up to `deadline`.
    func markerDeadline(from begin: MonotonicTime, now: MonotonicTime) -> MonotonicTime {
        max(deadline(from: begin), now + settings.rollbackReserve / 4)
    }

    /// The moment after which a freeze must not succeed any more: the host may have given up.
    func end(from begin: MonotonicTime) -> MonotonicTime { begin + settings.freezeTimeout }

    /// The deadline of the thaw hooks in a rollback.
    func rollbackDeadline(from begin: MonotonicTime) -> MonotonicTime { begin + settings.freezeTimeout }

    /// The deadline for the thaw of a lost cycle; the rest of the time is for the freeze itself.
    func recoveryDeadline(from begin: MonotonicTime) -> MonotonicTime { begin + settings.freezeTimeout / 2 }

    /// Whether a failure of the hook ends the freeze.
    func aborts(_ hook: Hook) -> Bool {
        hook.isRequired || settings.onFailure == .abort
    }

    /// Whether the freeze ends when no hook can be called at all.
    var abortsWithoutHooks: Bool {
        settings.onFailure == .abort || settings.hooks.values.contains { $0.required == true }
    }

    /// Why the freeze ends after this hook; nil when it goes on. `stopRequest` is the signal that asked this program to
    /// stop, if any.
    func failure(of hook: Hook, _ action: HookAction, _ outcome: HookOutcome, stopRequest: Int32?) -> FreezeFailure? {
        if outcome.interrupted, let stopRequest { return .interrupted(signal: stopRequest) }
        guard outcome.failed && aborts(hook) else { return nil }
        return .hookFailed(hook: hook.name, action, status: outcome.status, explanation: outcome.explanation)
    }
}
