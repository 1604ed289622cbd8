// SPDX-License-Identifier: Apache-2.0

import FreezeHook
import FreezeHookBase
import FreezeHookRecipes
import SystemPackage

/// The result of `setup`.
package struct SetupReport: Shown {
    /// The fate of the changes.
    package enum Mode: String, Encodable {
        case planned, made, undone
    }

    /// An application that was found.
    package struct Found: Encodable {
        /// The name of its recipe.
        package var recipe: String
        /// The description of its recipe, or the recipe's name.
        package var description: String
        /// Whether the application runs outside containers.
        package var running: Bool
        /// Whether its program is installed.
        package var installed: Bool
        /// The containers that it runs in: names, or words for those that no recipe can name.
        package var containers: [String]
        /// Whether its recipe is enabled now.
        package var enabled: Bool
    }

    /// A path that is changed.
    package struct Change: Encodable {
        /// The path in the system, cleaned.
        package var path: String
        /// The change as a unified diff.
        package var diff: [UnifiedDiff.Line]
    }

    /// Whether the changes are planned, made or taken back.
    package var mode: Mode
    /// Whether this call has changed anything.
    package var changed: Bool
    /// The applications that were found.
    package var applications: [Found]
    /// The processes that have an application's name and are not taken for its servers.
    package var notServers: [NamedAlike]
    /// The changes, in the order in which they are made.
    package var changes: [Change]
    /// The steps that only an administrator can decide or do.
    package var attention: [String]
    /// The command after which qemu-ga uses the changes; nil, and left out, when none is needed.
    package var restart: String?

    init(_ mode: Mode, _ machine: Machine, changes: [SetupChange], attention: [String]) {
        self.mode = mode
        self.attention = attention
        changed = mode != .planned && !changes.isEmpty
        let links = machine.links
        applications = machine.applications.filter { $0.isHere || !$0.containers.isEmpty }.map { application in
            let recipe = application.recipe
            return Found(
                recipe: recipe.name, description: recipe.header.description ?? recipe.name, running: application.runs,
                installed: application.program != nil,
                containers: application.containers.map { $0.name.map { SafeText.clean($0.utf8) } ?? $0.words },
                enabled: !links.links(to: recipe).isEmpty)
        }
        notServers = machine.applications.flatMap(\.others)
        self.changes = changes.map { Change(path: SafeText.clean($0.path.utf8), diff: $0.diff) }
        restart = Self.restart(machine, changes, isUndone: mode == .undone)
    }

    private static func restart(_ machine: Machine, _ changes: [SetupChange], isUndone: Bool) -> String? {
        guard let service = machine.agent.service else { return nil }
        let paths = changes.map { FilePath($0.path) }
        let isUnitChanged = changes.contains { $0.path.hasPrefix("/etc/systemd/system/") }
        let isAgentChanged =
            service.files(in: machine.tree).contains { paths.contains(machine.tree.resolved($0)) }
            || changes.contains { $0.path.hasSuffix(AgentSetup.dropInEnding) }
        var commands = isUnitChanged ? ["systemctl daemon-reload"] : []
        if !machine.agent.processes.isEmpty, isAgentChanged || !isUndone && machine.agent.needsRestart {
            commands.append(service.command("restart"))
        }
        return commands.isEmpty ? nil : commands.joined(separator: " && ")
    }

    /// Whether nothing is left to do.
    package var isGood: Bool { attention.isEmpty && (mode != .planned || changes.isEmpty) }

    /// The report as text.
    package func lines(for terminal: Terminal) -> [String] {
        var lines: [String] = []
        if mode != .undone {
            if !applications.isEmpty {
                lines +=
                    TextTable(
                        columns: [
                            .init("application", minimumWidth: 8), .init("found", minimumWidth: 10), .init("recipe"),
                        ],
                        rows: applications.map(\.row), reductions: []
                    ).lines(for: terminal) + [""]
            }
            if applications.isEmpty { lines.append("no application is found that a recipe is for") }
            lines += notServers.flatMap { TextWrap.lines(of: "note: \($0)", columns: terminal.columns, indent: 6) }
        }
        for change in changes {
            lines += change.diff.map { terminal.styled($0.text, $0.style) }
        }
        lines += attention.flatMap { TextWrap.lines(of: "attention: \($0)", columns: terminal.columns, indent: 11) }
        lines += TextWrap.lines(of: summary, columns: terminal.columns)
        // A command to copy must stay on one line.
        if let restart { lines.append("then: \(restart)") }
        if mode == .made && changed {
            lines += TextWrap.lines(
                of: "try it: fsfreeze-hook rehearse; what else may be in the way: fsfreeze-hook check",
                columns: terminal.columns)
        }
        return lines
    }

    private var summary: String {
        let count = CountText.format(changes.count, "change")
        return switch mode {
        case .planned: changes.isEmpty ? "nothing to change" : "\(count); to make: fsfreeze-hook setup --apply"
        case .made: changes.isEmpty ? "nothing to change" : "\(count) made"
        case .undone: changes.isEmpty ? "nothing to take back" : "\(count) taken back"
        }
    }

}

extension UnifiedDiff.Line {
    fileprivate var style: TextStyle? {
        switch self {
        case .new, .added: .green
        case .old, .removed: .red
        case .place: .cyan
        case .kept: nil
        }
    }
}

extension SetupReport.Found {
    fileprivate var row: [TextTable.Cell] {
        var words = running ? ["runs here"] : []
        if !containers.isEmpty { words.append("in containers: \(containers.joined(separator: ", "))") }
        if words.isEmpty { words.append("installed") }
        return [
            .init(description), .init(words.joined(separator: ", ")), .init(enabled ? "\(recipe), enabled" : recipe),
        ]
    }
}
