// SPDX-License-Identifier: Apache-2.0

import FreezeHook
import FreezeHookBase
import FreezeHookRecipes
import SystemPackage

/// The check that every application that runs is held.
enum RecipesCheck {
    static func findings(on machine: Machine) -> [Finding] {
        if let error = machine.recipesError {
            return [
                .warning(
                    SafeText.clean(error.path), "\(error.problem); what runs here and is not held is not known",
                    repair: error.repair)
            ]
        }
        let links = machine.links
        // A hook of the administrator's own may hold any application.
        let recipeLinks = machine.recipes.flatMap { links.links(to: $0) }.map(\.name)
        let own = machine.hooks.filter { $0.disposition == .runs && !recipeLinks.contains($0.hook.name) }.map(
            \.hook.name)
        return machine.applications.flatMap { application -> [Finding] in
            let recipe = application.recipe
            let isEnabled = !links.links(to: recipe).isEmpty
            var findings: [Finding] = []
            if application.runs && !isEnabled {
                let name = recipe.header.description ?? recipe.name
                let unless = own.isEmpty ? "" : ", unless \(own.joined(separator: " or ")) does it"
                let reason = "\(name) runs here and is not held while an image is taken\(unless)"
                let severity: Finding.Severity =
                    own.isEmpty && recipe.header.guarantee == .applicationConsistent ? .error : .warning
                findings.append(
                    Finding(
                        severity: severity, subject: recipe.name, reason: reason,
                        repair: "fsfreeze-hook enable \(ShellText.quoted(recipe.name))"))
            }
            if !application.containers.isEmpty {
                findings += contained(application, isEnabled: isEnabled, machine)
            }
            return findings + notes(on: application, machine)
        }
    }

    private static func contained(_ application: Application, isEnabled: Bool, _ machine: Machine) -> [Finding] {
        let recipe = application.recipe
        let file = RecipeConfiguration(of: recipe, beside: machine.locations.hookDirectory)
        let text = machine.tree.text(of: file.path) ?? ""
        let place = SafeText.clean(file.path)
        return application.containers.compactMap { container in
            if let name = container.name, isEnabled, file.names(name, in: text) { return nil }
            let why = container.name == nil ? "" : ": \(place) does not name it"
            return .warning(
                container.name.map { SafeText.clean($0.utf8) } ?? recipe.name,
                "\(recipe.header.description ?? recipe.name) runs in \(container.words) and is not held\(why)",
                repair: container.repair(file: place))
        }
    }

    /// The processes that only bear a server's name. With sections in its configuration a recipe looks for no others.
    private static func notes(on application: Application, _ machine: Machine) -> [Finding] {
        let file = RecipeConfiguration(of: application.recipe, beside: machine.locations.hookDirectory)
        if RecipeConfiguration.hasSections(machine.tree.text(of: file.path) ?? "") { return [] }
        return application.others.map {
            .note(
                application.recipe.name, "\($0)",
                repair: "if it is one, name it in a section of \(SafeText.clean(file.path))")
        }
    }
}
