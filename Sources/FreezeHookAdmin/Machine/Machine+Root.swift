// SPDX-License-Identifier: Apache-2.0

import FreezeHook
import FreezeHookBase
import FreezeHookRecipes
import SystemPackage

extension Machine {
    // The path of the program in the packages.
    private static let installedProgram: FilePath = "/usr/sbin/fsfreeze-hook"

    /// Looks at this machine, or at another system below a directory, as for an image that is being built.
    ///
    /// - Parameters:
    ///   - root: the directory of the other system; nil or `/` for this machine.
    ///   - locations: the locations on this machine.
    ///   - hookDirectory: the hook directory in another system; nil for the one that the program finds there.
    ///   - configuration: the configuration in another system; nil for the file beside its hook directory.
    ///   - recipeDirectory: the recipes' directory; nil for the one installed with the program.
    ///
    /// Throws when the program is not installed in the other system.
    package init(
        root: FilePath?, locations: Locations, hookDirectory: FilePath? = nil, configuration: FilePath? = nil,
        recipeDirectory: FilePath? = nil
    ) throws(NotInstalledError) {
        let tree = root.map { SystemTree(root: $0) } ?? .machine
        let recipes = recipeDirectory.map { RecipeDirectory(path: absolute($0)) }
        if tree.isMachine {
            self.init(
                tree: tree, program: tree.resolved("/proc/self/exe"), locations: locations, recipes: recipes ?? .own,
                clockIsSynchronised: ClockState.isSynchronised)
            return
        }
        guard tree.has(Self.installedProgram) else {
            throw NotInstalledError(program: Self.installedProgram, root: tree.root)
        }
        let own = Locations(
            calledPath: Self.installedProgram,
            hookDirectory: hookDirectory ?? HookSearch.directory(among: Locations.systemDirectories, in: tree),
            configuration: configuration)
        var locations = locations
        locations.hookDirectory = own.hookDirectory
        locations.configuration = own.configuration
        self.init(
            tree: tree, program: Self.installedProgram, locations: locations,
            recipes: recipes ?? RecipeDirectory(path: RecipeDirectory.defaultPath))
    }
}
