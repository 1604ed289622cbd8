// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
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
        try Ending.run { () throws(ProgramError) in
            let chosen = try options.recipes(named: recipes)
            var changed: Set<String> = []
            for recipe in chosen {
                let links = try attempt(ProgramError.recipe, try options.links.disable(recipe))
                if !links.isEmpty { changed.insert(recipe.name) }
            }
            return try options.show(chosen, noting: [], RunningApplications(), changed: changed)
        }
    }
}
