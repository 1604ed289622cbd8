import ArgumentParser
import FreezeHook
import FreezeHookAdmin
import FreezeHookBase
import FreezeHookRecipes
import SystemPackage

/// What `enable` and `disable` have in common.
struct RecipeOptions: ParsableArguments {
    @Flag(help: "Print one JSON object.")
    var json = false

    @Option(help: "The directory of the recipes (default: the one installed with the program).", completion: .directory)
    var recipeDir: String?

    @OptionGroup var locations: LocationOptions

    /// The recipes that are installed.
    func recipes() throws -> [Recipe] {
        try directory.recipes()
    }

    /// The recipes of these names.
    func recipes(named names: [String]) throws -> [Recipe] {
        let all = try recipes()
        return try names.map { name in
            guard let recipe = all.first(where: { $0.name == name }) else {
                throw RecipeError.unknown(name: name, directory: directory.path)
            }
            return recipe
        }
    }

    var links: RecipeLinks { RecipeLinks(hookDirectory: locations.locations.hookDirectory) }

    private var directory: RecipeDirectory {
        recipeDir.map { RecipeDirectory(path: absolute(FilePath($0))) } ?? .own
    }

    /// Shows what has become of the recipes and ends with the exit status that says whether all is well.
    func end(_ recipes: [Recipe], changed: Set<String>) throws {
        let list = RecipeList(recipes, links: links, running: .now(), changed: changed)
        print(json ? try JSONText.encode(list) : list.recipes.map(\.outcome).joined(separator: "\n"))
        let isGood = list.recipes.allSatisfy { $0.why == nil }
        throw ExitCode((isGood ? ExitStatus.done : .needsAttention).rawValue)
    }
}
