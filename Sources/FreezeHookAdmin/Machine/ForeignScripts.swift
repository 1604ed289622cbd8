// SPDX-License-Identifier: Apache-2.0

import FreezeHook
import FreezeHookBase
import FreezeHookRecipes
import SystemPackage

/// Scripts of another product, which a recipe can run and nothing calls.
package struct ForeignScripts: Sendable {
    /// The recipe that runs such scripts.
    package var recipe: String
    /// The scripts that are there, with the key of the recipe's configuration for each.
    package var scripts: [(key: String, path: FilePath)]
    /// The recipe's configuration, which is not there.
    package var configuration: FilePath

    /// The consequence, in one sentence.
    package var problem: String {
        let paths = scripts.map { SafeText.clean($0.path) }.joined(separator: " and ")
        let kind = scripts.count > 1 ? "scripts" : "a script"
        return "\(paths): \(kind) of another product, which nothing calls while an image is taken"
    }

    /// The steps after which the scripts are called.
    package var repair: String {
        let settings = scripts.map { "\($0.key) = \(SafeText.clean($0.path))" }.joined(separator: " and ")
        return "write \(settings) into \(SafeText.clean(configuration)), then: fsfreeze-hook enable "
            + "\(ShellText.quoted(recipe)); where they are not wanted, leave that file empty"
    }
}

extension Machine {
    /// The scripts of other products that are there, and that no configuration of a recipe speaks of.
    package var foreignScripts: [ForeignScripts] {
        recipes.flatMap { recipe -> [ForeignScripts] in
            let file = RecipeConfiguration(of: recipe, beside: locations.hookDirectory).path
            if recipe.header.scriptPairs.isEmpty || tree.has(file) { return [] }
            return recipe.header.scriptPairs.compactMap { pair in
                let scripts = [("freeze", pair.freeze), ("thaw", pair.thaw)].filter { tree.has($0.1) }
                if scripts.isEmpty { return nil }
                return ForeignScripts(
                    recipe: recipe.name, scripts: scripts.map { (key: $0.0, path: $0.1) }, configuration: file)
            }
        }
    }
}
