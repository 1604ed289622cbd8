// SPDX-License-Identifier: Apache-2.0

import FreezeHook
import FreezeHookBase
import FreezeHookRecipes
import Glibc
import SystemPackage

/// What is known of a system: the one place where `check` and `setup` look.
package struct Machine {
    /// Its files.
    package let tree: SystemTree
    /// The program, as that system knows it.
    package let program: FilePath
    /// Its places, as that system knows them.
    package let locations: Locations
    /// What its configuration says; the defaults where that cannot be used.
    package let settings: Settings
    /// Why the configuration cannot be used; the defaults are in force then.
    package let configurationProblem: String?
    /// The recipes that are installed, in the order of their names.
    package let recipes: [Recipe]
    /// Why there are no recipes to look for; nil when they could be read.
    package let recipesError: RecipeDirectoryError?
    /// The mounts that its qemu-ga sees.
    package let mounts: MountTable
    /// Whether its qemu-ga calls the program.
    package let agent: AgentWiring
    /// The applications that its recipes are for, whether they are there or not.
    package let applications: [Application]
    /// The entries of the hook directory.
    package private(set) var hooks: [DirectoryEntry] = []
    /// Whether the kernel's clock follows another one; nil where that cannot be asked.
    package let clockIsSynchronised: Bool?

    /// Looks at a system. `program`, `locations` and the recipes' directory are as that system knows them.
    package init(
        tree: SystemTree, program: FilePath, locations: Locations, recipes directory: RecipeDirectory,
        clockIsSynchronised: Bool? = nil
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
            settings = try SettingsFile.read(tree.place(of: locations.configuration))
            configurationProblem = nil
        } catch {
            settings = Settings()
            configurationProblem = "\(error)"
        }
        let processes = SystemProcess.all(in: tree)
        agent = AgentWiring(processes: processes, program: program, in: tree)
        // The agent freezes what it sees itself.
        let viewer = agent.processes.first.map { "\($0.pid)" } ?? "self"
        mounts = MountTable(parsing: tree.bytes(of: FilePath("/proc/\(viewer)/mountinfo")) ?? [])
        let names = ContainerNames(in: tree)
        applications = recipes.filter { !$0.header.processes.isEmpty }.map {
            Application($0, processes: processes, names: names, in: tree)
        }
        hooks = hooks(in: locations.hookDirectory)
    }

    /// The links that enable recipes here.
    package var links: RecipeLinks { RecipeLinks(hookDirectory: locations.hookDirectory, tree: tree) }

    /// The entries of a hook directory; none when it is not there.
    package func hooks(in path: FilePath) -> [DirectoryEntry] {
        let directory = HookDirectory(path: tree.place(of: path), settings: settings)
        let entries = (try? directory.entries()) ?? []
        if tree.isMachine { return entries }
        // Of another system's links the kernel would follow an absolute one into this one.
        return entries.map { entry in
            let own = path.appending(entry.hook.name)
            guard tree.link(own) != nil, tree.has(own), tree.resolved(own) != "/dev/null" else { return entry }
            let target = directory.entry(at: tree.place(of: own))
            return DirectoryEntry(
                hook: Hook(path: entry.hook.path, header: target.hook.header, settings: settings),
                disposition: target.disposition)
        }
    }

    /// The log's path.
    package var logFile: FilePath { locations.logFile ?? settings.logFile }

    /// The command that installs a package here.
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
