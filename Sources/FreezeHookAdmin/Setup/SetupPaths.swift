// SPDX-License-Identifier: Apache-2.0

import FreezeHook
import FreezeHookBase
import FreezeHookRecipes
import SystemPackage

/// The paths that a set-up of a machine can change. The manifest in an image says nothing that is not among them.
struct SetupPaths {
    private let hookDirectories: [FilePath]
    private let agentFiles: [FilePath]

    private static let units: FilePath = "/etc/systemd/system"
    // The files of distributions, also where the agent is no longer installed.
    private static let knownAgentFiles: [FilePath] =
        AgentOptions.defaultConfigurations + ["/etc/sysconfig/qemu-ga", "/etc/default/qemu-guest-agent"]

    init(of machine: Machine) {
        hookDirectories = Locations.systemDirectories + [machine.locations.hookDirectory]
        let files = Self.knownAgentFiles + (machine.agent.service?.files(in: machine.tree) ?? [])
        agentFiles = files + files.map { machine.tree.resolved($0) }
    }

    /// Whether a set-up could have made the change.
    func include(_ change: SetupChange) -> Bool {
        let path = FilePath(change.path)
        guard path.isAbsolute, path.isLexicallyNormal, path.string == change.path, change.before.canBeMade,
            change.after.canBeMade
        else { return false }
        switch (change.before, change.after) {
        case (.absent, .link): return hookDirectories.contains(path.removingLastComponent())
        case (.absent, .directory): return places.contains { $0.starts(with: path) }
        case (.absent, .file): return agentFiles.contains(path) || isRecipeConfiguration(path) || Self.isDropIn(path)
        case (.file, .file): return agentFiles.contains(path)
        default: return false
        }
    }

    /// The directories that are made when they are missing.
    private var places: [FilePath] {
        hookDirectories + hookDirectories.map(RecipeConfiguration.directory)
            + agentFiles.map { $0.removingLastComponent() } + AgentService.units.map(Self.dropIns)
    }

    private func isRecipeConfiguration(_ path: FilePath) -> Bool {
        path.extension == "conf"
            && hookDirectories.map(RecipeConfiguration.directory).contains(path.removingLastComponent())
    }

    private static func isDropIn(_ path: FilePath) -> Bool {
        path.extension == "conf" && path.name.contains("fsfreeze-hook")
            && AgentService.units.map(dropIns).contains(path.removingLastComponent())
    }

    private static func dropIns(of unit: String) -> FilePath { units.appending("\(unit).d") }
}
