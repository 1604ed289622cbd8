// SPDX-License-Identifier: Apache-2.0

import FreezeHookBase

/// What has become of recipes that were to be enabled or disabled: as JSON their state, as text what was done, a line each.
package struct RecipeOutcomes: Shown {
    private let list: RecipeList

    /// The outcomes that the list tells of.
    package init(_ list: RecipeList) {
        self.list = list
    }

    /// Whether each of them that is enabled runs.
    package var isGood: Bool { list.recipes.allSatisfy { $0.why == nil } }

    package func encode(to encoder: any Encoder) throws { try list.encode(to: encoder) }

    package func lines(for terminal: Terminal) -> [String] { list.recipes.map(Self.outcome) }

    /// What was done with a recipe, or why nothing.
    private static func outcome(_ recipe: RecipeList.Item) -> String {
        let place = recipe.link.map { " (\($0))" } ?? ""
        let what =
            switch (recipe.enabled, recipe.changed) {
            case (true, true): "\(recipe.name): enabled\(place)"
            case (true, false): "\(recipe.name): was enabled already\(place)"
            case (false, true): "\(recipe.name): disabled"
            case (false, false): "\(recipe.name): was not enabled"
            }
        return recipe.why.map { "\(what), but it does not run: \($0)" } ?? what
    }
}
