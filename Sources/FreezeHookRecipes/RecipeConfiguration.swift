// SPDX-License-Identifier: Apache-2.0

import FreezeHookBase
import SystemPackage

/// A recipe's own configuration file.
package struct RecipeConfiguration {
    /// The path of the file, which need not exist.
    package let path: FilePath

    /// The file of a recipe whose link lies in the hook directory.
    package init(of recipe: Recipe, beside hookDirectory: FilePath) {
        path = hookDirectory.removingLastComponent().appending("fsfreeze-recipes.d").appending("\(recipe.name).conf")
    }

    /// All values of a key in a text of the file.
    package static func values(of key: String, in text: String) -> [String] {
        KeyValueText(text.utf8, .recipe).settings.filter { $0.key == key }.map(\.value)
    }

    /// Whether a text of the file names the container.
    package func names(_ container: String, in text: String) -> Bool {
        Self.values(of: "container", in: text).contains(container)
    }

    /// A text with a section for each container.
    package func text(naming containers: [String]) -> String {
        containers.map { "[\($0)]\ncontainer = \($0)\n" }.joined(separator: "\n")
    }
}
