// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import FreezeHookAdmin
import FreezeHookRecipes

/// `fsfreeze-hook enable`
struct EnableCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "enable",
        abstract: "Enable recipes, or show which there are.",
        discussion: """
            A recipe is a hook that comes with the program. Enabling it puts a link into the hook directory; one that is \
            enabled already stays as it is, whatever its link is called. Nothing else in the directory is touched.
            """)

    @Argument(help: "The recipes to enable.")
    var recipes: [String] = []

    @Flag(help: "Enable the recipe of every application that runs here.")
    var detected = false

    @OptionGroup var options: RecipeOptions

    func run() throws {
        try Ending.run { () throws(ProgramError) in
            let all = try options.recipes()
            let running = RunningApplications()
            if recipes.isEmpty && !detected {
                try options.output.show(RecipeList(all, noting: all, links: options.links, running: running))
                return .done
            }
            var chosen = try options.recipes(named: recipes)
            if detected { chosen += all.filter { running.include(applicationOf: $0) && !chosen.contains($0) } }
            var changed: Set<String> = []
            for recipe in chosen {
                let link = try attempt(ProgramError.recipe, try options.links.enable(recipe))
                if link != nil { changed.insert(recipe.name) }
            }
            return try options.show(chosen, noting: detected ? all : chosen, running, changed: changed)
        }
    }
}
