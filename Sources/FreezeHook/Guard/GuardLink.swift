// SPDX-License-Identifier: Apache-2.0

import FreezeHookBase

/// The freeze's side of its guard: starts the guard before the first hook and reports how the freeze ended.
final class GuardLink {
    private let link: OwnProcessLink
    /// The guard's place, in words for the log.
    let placement: String
    /// The name of the guard's own socket in the run directory.
    let socketName: String
    /// Why the guard has no such socket; nil when it has.
    let unreachable: String?

    /// The guard's process.
    var process: ProcessIdentity { link.process }

    /// Starts the guard of a cycle. Throws when it cannot be started or does not answer.
    init(cycle: String, locations: Locations) throws(OwnProcessError) {
        socketName = Guard.socketName(of: cycle)
        // The guard's thaw hooks get the environment of the freeze.
        link = try OwnProcessLink(
            .guard(cycle: cycle, locations), environment: HookEnvironment.ofThisProcess())
        let greeting = try link.greeting { (message: GuardLinkMessage) in
            switch message {
            case .ready, .unreachable: true
            case .frozen, .rehearsed, .ended, .unthawed: false
            }
        }
        unreachable = if case .unreachable(let reason) = greeting { reason } else { nil }
        placement = GuardPlacement.place(link.process.pid, cycle: cycle)
    }

    /// Reports a complete freeze: from now on the hold limit counts.
    func frozen() { tell(.frozen) }

    /// Reports a complete rehearsal: the hold limit counts, and the end of this process ends the window.
    func rehearsed() { tell(.rehearsed) }

    /// Reports a rollback after which something may still be held: the guard tries again.
    func unthawed() { tell(.unthawed) }

    /// Reports a rollback: no window is left to guard.
    func ended() { tell(.ended) }

    private func tell(_ message: GuardLinkMessage) {
        try? Messages.send(message, to: link.socket, until: .now() + LocalSocket.patience)
    }
}
