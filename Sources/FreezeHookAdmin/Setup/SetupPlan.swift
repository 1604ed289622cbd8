// SPDX-License-Identifier: Apache-2.0

import FreezeHook
import FreezeHookBase
import FreezeHookRecipes
import SystemPackage

/// The changes after which the applications of a system are held.
struct SetupPlan {
    private(set) var changes: [SetupChange] = []
    /// The steps that only an administrator can decide or do.
    private(set) var attention: [String] = []
    private let machine: Machine
    private let manifest: SetupManifest

    init(_ machine: Machine, _ manifest: SetupManifest) {
        self.machine = machine
        self.manifest = manifest
        for application in machine.applications { add(application) }
        for hook in machine.displacedHooks { add(hook) }
        let agent = AgentSetup(machine)
        for step in [agent.hook, agent.recovery] {
            for change in step.changes { add(change) }
            attention += step.byHand
        }
        attention += machine.foreignScripts.map { "\($0.problem); to have that done: \($0.repair)" }
        attention += machine.strayHooks.map { "\($0.problem); to run them: \($0.repair)" }
    }

    private mutating func add(_ application: Application) {
        if application.isHere { enable(application.recipe) }
        name(application.containers.compactMap(\.name), application)
        let file = RecipeConfiguration(of: application.recipe, beside: machine.locations.hookDirectory)
        for container in application.containers where container.name == nil {
            attention.append(
                "\(application.recipe.name) runs in \(container.words) and is not held: "
                    + container.repair(file: SafeText.clean(file.path)))
        }
    }

    private mutating func enable(_ recipe: Recipe) {
        if !machine.links.links(to: recipe).isEmpty { return }
        let path = machine.locations.hookDirectory.appending(recipe.linkName)
        add(path, .link(to: recipe.path.string)) { now in
            now == .absent
                ? "\(recipe.name) was disabled after an earlier set-up and stays so; to change that: fsfreeze-hook enable \(ShellText.quoted(recipe.name))"
                : "\(SafeText.clean(path)) is not the recipe, and stays as it is"
        }
    }

    /// Names containers in the recipe's configuration.
    private mutating func name(_ containers: [String], _ application: Application) {
        let file = RecipeConfiguration(of: application.recipe, beside: machine.locations.hookDirectory)
        let text = machine.tree.text(of: file.path) ?? ""
        let missing = containers.filter { !file.names($0, in: text) }
        if missing.isEmpty { return }
        let (name, place) = (application.recipe.name, SafeText.clean(file.path))
        if application.runs || machine.tree.has(file.path) {
            // Sections name all instances: without a section an instance would no longer be held.
            attention.append(
                "\(name) also runs in a container (\(missing.joined(separator: ", "))): give it a section in "
                    + "\(place), and one to each other instance")
            return
        }
        add(file.path, .file(bytes: Array(file.text(naming: missing).utf8), mode: 0o600)) { _ in
            "\(place) was removed after an earlier set-up: name the container of \(name) there"
        }
        attention.append("\(name) runs in a container: give its user and password in \(place), unless root may log in")
    }

    /// Makes a program of the administrator's a hook before qemu-ga calls it no longer.
    private mutating func add(_ hook: DisplacedHook) {
        let (name, link) = (SafeText.clean(hook.path), hook.linkPath(on: machine))
        guard hook.isLinked(by: machine) else {
            // A hook that stays in force is told by the step that would have replaced it.
            if machine.agent.willBeCalled || machine.agent.configured?.hook != hook.path {
                attention.append("\(name) is not QEMU's script, and is not called: \(hook.remedy(on: machine))")
            }
            return
        }
        let count = attention.count
        add(link, .link(to: hook.path.string)) { _ in
            "\(name) is not QEMU's script, and is not called: its link \(SafeText.clean(link)) was removed after an earlier "
                + "set-up, and stays so"
        }
        if attention.count > count { return }
        attention.append(
            "\(name) is not QEMU's script: \(SafeText.clean(link)) makes it a hook, with freeze and thaw as before, a time "
                + "limit, and its place in the order")
    }

    /// Adds a change of an absent path. When the path exists, or the change was taken back by hand, adds the words of
    /// `decision` on the path's state instead.
    private mutating func add(_ path: FilePath, _ after: FileState, decision: (FileState) -> String) {
        let now = FileState(of: path, in: machine.tree)
        let isTakenBack = manifest.entries.contains {
            $0.isMade && $0.change.path == path.string && $0.change.after == after
        }
        if now != .absent || isTakenBack {
            attention.append(decision(now))
        } else {
            add(SetupChange(path: path.string, before: now, after: after))
        }
    }

    /// Adds a change, after those that make its missing directories.
    private mutating func add(_ change: SetupChange) {
        var missing: [FilePath] = []
        var parent = FilePath(change.path).removingLastComponent()
        while !machine.tree.has(parent), !changes.contains(where: { $0.path == parent.string }),
            !parent.components.isEmpty
        {
            missing.append(parent)
            parent.removeLastComponent()
        }
        changes += missing.reversed().map { SetupChange(path: $0.string, before: .absent, after: .directory) }
        changes.append(change)
    }
}
