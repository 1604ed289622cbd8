// SPDX-License-Identifier: Apache-2.0

import FreezeHookBase
import SystemPackage

/// A recipe's own configuration file.
package struct RecipeConfiguration {
    /// Its path, which need not exist.
    package let path: FilePath

    /// The file of a recipe whose link lies in the hook directory.
    package init(of recipe: Recipe, beside hookDirectory: FilePath) {
        path = hookDirectory.removingLastComponent().appending("fsfreeze-recipes.d").appending("\(recipe.name).conf")
    }

    /// All values that a text of it has for a key.
    package static func values(of key: String, in text: String) -> [String] {
        KeyValueText(text.utf8, .recipe).settings.filter { $0.key == key }.map(\.value)
    }

    /// Whether a text of it names the container.
    package func names(_ container: String, in text: String) -> Bool {
        Self.values(of: "container", in: text).contains(container)
    }

    /// The text that names containers, each with a section of its own.
    package func text(naming containers: [String]) -> String {
        containers.map { "[\($0)]\ncontainer = \($0)\n" }.joined(separator: "\n")
    }
}
