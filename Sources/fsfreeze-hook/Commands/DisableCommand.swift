import ArgumentParser
import FreezeHook
import FreezeHookAdmin
import FreezeHookBase
import FreezeHookRecipes

/// `fsfreeze-hook disable`
struct DisableCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "disable",
        abstract: "Disable recipes.",
        discussion: "The links that lead to the recipe are removed from the hook directory, and nothing else.")

    @Argument(help: "The recipes to disable.")
    var recipes: [String]

    @OptionGroup var options: RecipeOptions

    func run() throws {
        try Ending.showingErrors {
            let chosen = try options.recipes(named: recipes)
            var changed: Set<String> = []
            for recipe in chosen where try !options.links.disable(recipe).isEmpty { changed.insert(recipe.name) }
            try options.end(chosen, changed: changed)
        }
    }
}
