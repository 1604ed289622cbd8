// SPDX-License-Identifier: Apache-2.0

import FreezeHookBase

/// The outcome of enabling or disabling recipes: as JSON their state, as text a line for each.
package struct RecipeOutcomes: Shown {
    private let list: RecipeList

    /// The outcomes for the recipes of a list.
    package init(_ list: RecipeList) {
        self.list = list
    }

    /// Whether every enabled recipe runs.
    package var isGood: Bool { list.recipes.allSatisfy { $0.why == nil } }

    package func encode(to encoder: any Encoder) throws { try list.encode(to: encoder) }

    package func lines(for terminal: Terminal) -> [String] {
        let lines = list.recipes.map(Self.outcome)
        return (lines.isEmpty ? ["no application of a recipe runs here"] : lines) + list.notes(for: terminal)
    }

    /// The outcome for one recipe.
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
