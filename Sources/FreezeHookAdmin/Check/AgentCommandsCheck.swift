// SPDX-License-Identifier: Apache-2.0

import FreezeHook
import FreezeHookBase

/// The check that qemu-ga refuses no command of a freeze (`block-rpcs`, `allow-rpcs`).
enum AgentCommandsCheck {
    private static let commands = [
        "guest-fsfreeze-freeze", "guest-fsfreeze-freeze-list", "guest-fsfreeze-thaw", "guest-fsfreeze-status",
    ]

    static func findings(on machine: Machine) -> [Finding] {
        guard let options = machine.agent.running ?? machine.agent.configured else { return [] }
        let forbidden = commands.filter(options.forbids)
        if forbidden.isEmpty { return [] }
        // The places are known from the service's files; what a process alone forbids ends with its restart.
        let known = machine.agent.configured.map { configured in forbidden.allSatisfy(configured.forbids) } ?? false
        let step =
            known
            ? machine.agent.configured.map { repair(of: forbidden, in: $0) }
            : machine.agent.service?.command("restart")
        let subject = forbidden.joined(separator: ", ")
        let reason = "qemu-ga is told to refuse \(ListText.format(forbidden)): "
        if forbidden.contains("guest-fsfreeze-freeze") {
            return [.error(subject, "\(reason)no backup can freeze this machine", repair: step)]
        }
        if forbidden.contains("guest-fsfreeze-thaw") {
            return [.error(subject, "\(reason)what is frozen stays frozen", repair: step)]
        }
        let who =
            forbidden.contains("guest-fsfreeze-freeze-list")
            ? "a host that freezes some filesystems only" : "a host that asks whether they are frozen"
        return [.warning(subject, "\(reason)\(who) gets an error", repair: step)]
    }

    /// What to take out of which list, and what to add to which.
    private static func repair(of forbidden: [String], in options: AgentOptions) -> String {
        func place(_ list: AgentOptions.CommandList) -> String { list.place?.description ?? "qemu-ga's command line" }
        var steps = options.blocking.compactMap { blocking -> String? in
            let names = forbidden.filter(blocking.names.contains)
            return names.isEmpty ? nil : "take \(ListText.format(names)) out of \(place(blocking))"
        }
        // qemu-ga adds its lists up: one of them is enough.
        if let allowing = options.allowing.last {
            let names = forbidden.filter { !options.allowed.contains($0) }
            if !names.isEmpty { steps.append("add \(names.joined(separator: ",")) to \(place(allowing))") }
        }
        return steps.joined(separator: ", and ")
    }
}
