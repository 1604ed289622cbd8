// SPDX-License-Identifier: Apache-2.0

import FreezeHook
import FreezeHookBase
import FreezeHookRecipes
import Glibc
import SystemPackage

/// The facts of a system, the one source of `check` and `setup`.
package struct Machine {
    /// The system's files.
    package let tree: SystemTree
    /// The program's path in the system.
    package let program: FilePath
    /// The program's locations in the system.
    package let locations: Locations
    /// The settings of the configuration; the defaults when it cannot be used.
    package let settings: Settings
    /// The reason why the configuration cannot be used; nil when it can.
    package let configurationProblem: String?
    /// The installed recipes, in the order of their names.
    package let recipes: [Recipe]
    /// The error of reading the recipes; nil when they could be read.
    package let recipesError: RecipeDirectoryError?
    /// The mounts that the system's qemu-ga sees, which are those that it freezes.
    package let mounts: MountTable
    /// The mounts that the system's first process sees, outside all sandboxes.
    package let systemMounts: MountTable
    /// The system's qemu-ga, and whether it calls the program.
    package let agent: AgentWiring
    /// The SELinux policy in force; nil where SELinux is off.
    package let policy: SELinuxPolicy?
    /// The SELinux domains of qemu-ga and of the program that it calls; nil where SELinux is off, and where they cannot be known.
    package let agentDomain: AgentDomain?
    /// The applications of the recipes, whether they are there or not.
    package let applications: [Application]
    /// The entries of the hook directory.
    package private(set) var hooks: [DirectoryEntry] = []
    /// The error of listing the hook directory; nil when it could be listed, or is not there.
    package private(set) var hooksError: Errno?
    /// The programs of the administrator's in the place of QEMU's script that no hook of the directory is.
    package private(set) var displacedHooks: [DisplacedHook] = []
    /// Whether the kernel's clock is synchronised; nil when the kernel does not say, and for another system.
    package let clockIsSynchronised: Bool?

    /// Looks at a system; `program`, `locations` and the recipes' directory are paths in that system. `ask` stands for the
    /// kernel that knows its SELinux policy.
    package init(
        tree: SystemTree, program: FilePath, locations: Locations, recipes directory: RecipeDirectory,
        clockIsSynchronised: Bool? = nil, askingPolicy ask: SELinuxPolicy.Ask? = nil
    ) {
        self.tree = tree
        self.program = program
        self.locations = locations
        self.clockIsSynchronised = clockIsSynchronised
        do {
            recipes = try directory.recipes(in: tree)
            recipesError = nil
        } catch {
            recipes = []
            recipesError = error
        }
        do {
            settings = try SettingsFile.read(locations.configuration, in: tree)
            configurationProblem = nil
        } catch {
            settings = Settings()
            configurationProblem = "\(error)"
        }
        let running = RunningApplications(in: tree)
        agent = AgentWiring(processes: running.processes, program: program, in: tree)
        policy = SELinuxPolicy(in: tree, asking: ask)
        agentDomain = AgentDomain(policy: policy, agent: agent, program: program, in: tree)
        let system = ["1", "self"].lazy.compactMap { MountTable(ofProcess: $0, in: tree) }.first
        systemMounts = system ?? MountTable(parsing: [])
        // qemu-ga freezes the mounts of its own namespace.
        mounts = agent.processes.first.flatMap { MountTable(ofProcess: "\($0.pid)", in: tree) } ?? systemMounts
        let names = ContainerNames(processes: running.processes, in: tree)
        applications = recipes.filter { !$0.header.processes.isEmpty }.map {
            Application($0, among: running, names: names, in: tree)
        }
        do throws(Errno) { hooks = try hooks(in: locations.hookDirectory) } catch {
            hooksError = error == .noSuchFileOrDirectory ? nil : error
        }
        displacedHooks = DisplacedHook.all(service: agent.service, program: program, in: tree).filter {
            !isHook($0.path)
        }
    }

    /// The path of an entry of the hook directory in the system, in the bytes of its name.
    package func path(of entry: DirectoryEntry) -> FilePath {
        locations.hookDirectory.entry(named: entry.hook.path.nameBytes)
    }

    /// Whether a hook that runs is the file at a path.
    package func isHook(_ path: FilePath) -> Bool {
        let target = tree.resolved(path)
        return hooks.contains {
            $0.disposition == .runs && tree.resolved(self.path(of: $0)) == target
        }
    }

    /// The links that enable recipes on the system.
    package var links: RecipeLinks { RecipeLinks(hookDirectory: locations.hookDirectory, tree: tree) }

    /// The entries of a hook directory. Throws the kernel's errno.
    package func hooks(in path: FilePath) throws(Errno) -> [DirectoryEntry] {
        try HookDirectory.entries(of: path, in: tree, settings: settings)
    }

    /// The path of the log.
    package var logFile: FilePath { locations.logFile ?? settings.logFile }

    /// The command that installs a package on the system.
    package func installCommand(for package: String) -> String {
        let managers: [(path: FilePath, command: String)] = [
            ("/usr/bin/apt-get", "apt-get install"), ("/usr/bin/dnf", "dnf install"),
            ("/usr/bin/zypper", "zypper install"),
            ("/sbin/apk", "apk add"), ("/usr/bin/pacman", "pacman -S"), ("/usr/bin/emerge", "emerge"),
        ]
        let command = managers.first { tree.has($0.path) }?.command ?? "install"
        return "\(command) \(package)"
    }
}
