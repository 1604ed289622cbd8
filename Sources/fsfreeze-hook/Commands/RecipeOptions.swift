// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import FreezeHook
import FreezeHookAdmin
import FreezeHookBase
import FreezeHookRecipes
import SystemPackage

/// The options of `enable` and `disable`.
struct RecipeOptions: ParsableArguments {
    @OptionGroup var output: OutputOptions

    @Option(help: "The directory of the recipes (default: the one installed with the program).", completion: .directory)
    var recipeDir: String?

    @OptionGroup var locations: LocationOptions

    /// The recipes that are installed.
    func recipes() throws(ProgramError) -> [Recipe] {
        try attempt(ProgramError.recipeDirectory, try directory.recipes())
    }

    /// The recipes of these names. Throws at an unknown name.
    func recipes(named names: [String]) throws(ProgramError) -> [Recipe] {
        let all = try recipes()
        return try names.map { name throws(ProgramError) in
            guard let recipe = all.first(where: { $0.name == name }) else {
                throw .recipe(.unknown(name: name, directory: directory.path))
            }
            return recipe
        }
    }

    var links: RecipeLinks { RecipeLinks(hookDirectory: locations.locations.hookDirectory) }

    private var directory: RecipeDirectory {
        recipeDir.map { RecipeDirectory(path: absolute(FilePath($0))) } ?? .own
    }

    /// Shows the outcome for the chosen recipes, and the processes that are not taken for servers of `noted`; returns
    /// the exit status.
    func show(
        _ chosen: [Recipe], noting noted: [Recipe], _ running: RunningApplications, changed: Set<String>
    ) throws(ProgramError) -> ExitStatus {
        // A recipe that the configuration leaves out does not run; a broken configuration leaves out none.
        let settings = (try? SettingsFile.read(locations.locations.configuration)) ?? Settings()
        let list = RecipeList(
            chosen, noting: noted, links: links, running: running, settings: settings, changed: changed)
        let outcomes = RecipeOutcomes(list)
        try output.show(outcomes)
        return ExitStatus(isGood: outcomes.isGood)
    }
}
