// SPDX-License-Identifier: Apache-2.0

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
        let what =
            forbidden.contains("guest-fsfreeze-thaw") && !forbidden.contains("guest-fsfreeze-freeze")
            ? "what is frozen stays frozen" : "no backup can freeze this machine"
        var places = ["block-rpcs, blacklist and allow-rpcs in \(SafeText.clean(options.configuration))"]
        if case .unit(_, let unit) = machine.agent.service {
            places =
                unit.environmentFiles.filter(machine.tree.has).map {
                    "BLOCK_RPCS, BLACKLIST_RPC and FILTER_RPC_ARGS in \(SafeText.clean($0))"
                } + places
        }
        return [
            .error(
                forbidden.joined(separator: ", "), "qemu-ga is told to refuse \(list(forbidden)): \(what)",
                repair: "take it out of \(places.joined(separator: ", and of "))")
        ]
    }

    private static func list(_ names: [String]) -> String {
        names.count < 2 ? names.joined() : names.dropLast().joined(separator: ", ") + " and " + (names.last ?? "")
    }
}
