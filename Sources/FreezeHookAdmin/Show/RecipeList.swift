// SPDX-License-Identifier: Apache-2.0

import FreezeHook
import FreezeHookBase
import FreezeHookRecipes
import SystemPackage

/// The recipes, as `enable` and `disable` show them.
package struct RecipeList: Shown {
    /// One recipe.
    package struct Item: Encodable {
        /// The file's name, which is the application's.
        package var name: String
        /// The file's path, cleaned.
        package var path: String
        /// The description in its header.
        package var description: String?
        /// The raw value of the `Guarantee` in its header; nil without one.
        package var guarantee: String?
        /// The link that enables the recipe, cleaned; nil for none.
        package var link: String?
        /// Whether a link in the hook directory leads to the recipe.
        package var enabled: Bool
        /// Whether the application runs here now.
        package var detected: Bool
        /// Whether this call has enabled or disabled the recipe.
        package var changed: Bool
        /// The reason why an enabled recipe does not run; nil when it runs.
        package var why: String?
    }

    /// Whether this call has enabled or disabled any recipe.
    package var changed: Bool
    /// The recipes, in the order in which they were asked for.
    package var recipes: [Item]
    /// The processes that have an application's name and are not taken for its servers.
    package var notServers: [NamedAlike]

    /// The state of the recipes now.
    ///
    /// - Parameters:
    ///   - settings: the settings, which may leave a recipe out.
    ///   - noted: the recipes whose `notServers` are told.
    ///   - changed: the names of the recipes that this call has enabled or disabled.
    package init(
        _ shown: [Recipe], noting noted: [Recipe], links: RecipeLinks, running: RunningApplications,
        settings: Settings = Settings(), changed: Set<String> = []
    ) {
        self.changed = !changed.isEmpty
        let directory = HookDirectory(path: links.hookDirectory, settings: settings)
        notServers = noted.flatMap { running.processes(of: $0).others }
        recipes = shown.map { recipe in
            let link = links.links(to: recipe).first
            return Item(
                name: recipe.name, path: SafeText.clean(recipe.path), description: recipe.header.description,
                guarantee: recipe.header.guarantee?.rawValue, link: link.map { SafeText.clean($0) },
                enabled: link != nil, detected: running.include(applicationOf: recipe),
                changed: changed.contains(recipe.name),
                why: link.flatMap { Self.obstacle(directory.entry(at: $0)) })
        }
    }

    private static func obstacle(_ entry: DirectoryEntry) -> String? {
        switch entry.disposition {
        case .runs: nil
        case .skipped(let reason): "\(reason)"
        case .refused(let refusal): "\(refusal)"
        }
    }

    /// The recipes, a line each.
    package func lines(for terminal: Terminal) -> [String] {
        if recipes.isEmpty { return ["there are no recipes"] }
        let width = recipes.map(\.name.count).max() ?? 0
        let lines = recipes.map { recipe in
            let padding = String(repeating: " ", count: width - recipe.name.count)
            return "\(recipe.name)\(padding)  \(recipe.state)  \(recipe.description ?? "")"
        }
        return lines + notes(for: terminal)
    }

    /// A note on each process that is not taken for a server.
    func notes(for terminal: Terminal) -> [String] {
        notServers.flatMap { TextWrap.lines(of: "note: \($0)", columns: terminal.columns, indent: 6) }
    }
}

extension RecipeList.Item {
    fileprivate var state: String {
        let words =
            switch (enabled, detected) {
            case (true, true): "enabled, runs here"
            case (true, false): "enabled"
            case (false, true): "runs here"
            case (false, false): ""
            }
        return words + String(repeating: " ", count: "enabled, runs here".count - words.count)
    }
}
