import ArgumentParser
import FreezeHook
import FreezeHookAdmin
import FreezeHookBase
import FreezeHookRecipes
import SystemPackage

/// What `check` and `setup` have in common: the system that they look at.
struct MachineOptions: ParsableArguments {
    @Option(
        help: "The directory of another system to look at, as for an image that is being built.", completion: .directory
    )
    var root: String?

    @Option(help: "The directory of the recipes (default: the one installed with the program).", completion: .directory)
    var recipeDir: String?

    @OptionGroup var locations: LocationOptions

    // Where packages put it.
    private static let installed: FilePath = "/usr/sbin/fsfreeze-hook"

    /// Looks at the system.
    func machine() throws -> Machine {
        let tree = root.map { SystemTree(root: FilePath($0)) } ?? .machine
        var locations = locations.locations
        var program = Self.installed
        var recipes = RecipeDirectory(path: RecipeDirectory.usual)
        if tree.isMachine {
            program = tree.resolved("/proc/self/exe")
            recipes = .own
        } else {
            guard tree.has(program) else { throw SetupError.notInstalled(program: program, root: tree.root) }
            if self.locations.hookDir == nil {
                let directories = Locations.systemDirectories
                let directory = directories.first(where: tree.hasDirectory) ?? directories[0]
                locations.hookDirectory = directory
                if self.locations.config == nil {
                    locations.configuration = directory.removingLastComponent().appending("fsfreeze-hook.conf")
                }
            }
        }
        if let recipeDir { recipes = RecipeDirectory(path: absolute(FilePath(recipeDir))) }
        return Machine(
            tree: tree, program: program, locations: locations, recipes: try recipes.recipes(in: tree),
            clockIsSynchronised: tree.isMachine ? ClockState.isSynchronised : nil)
    }
}
