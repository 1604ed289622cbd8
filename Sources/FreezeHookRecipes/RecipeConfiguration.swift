// SPDX-License-Identifier: Apache-2.0

import FreezeHookBase
import SystemPackage

/// A recipe's own configuration file.
package struct RecipeConfiguration {
    /// The path of the file, which need not exist.
    package let path: FilePath

    /// The file of a recipe whose link lies in the hook directory.
    package init(of recipe: Recipe, beside hookDirectory: FilePath) {
        path = Self.directory(beside: hookDirectory).appending("\(recipe.name).conf")
    }

    /// The directory of the recipes' files that belongs to a hook directory.
    package static func directory(beside hookDirectory: FilePath) -> FilePath {
        hookDirectory.removingLastComponent().appending("fsfreeze-recipes.d")
    }

    /// All values of a key in a text of the file.
    package static func values(of key: String, in text: String) -> [String] {
        KeyValueText(text.utf8, .recipe).settings.filter { $0.key == key }.map(\.value)
    }

    /// Whether a text of the file has sections, which name all instances of the application.
    package static func hasSections(_ text: String) -> Bool {
        text.split(whereSeparator: \.isNewline).contains { trimmed($0).hasPrefix("[") }
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
