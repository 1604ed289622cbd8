// SPDX-License-Identifier: Apache-2.0

import FreezeHookBase
import SystemPackage

/// Makes the applications of a system held: shows what has to be changed, changes it, and takes it back.
package struct Setup {
    private let machine: Machine
    private var manifest: SetupManifest

    /// Throws when it is not known what earlier set-ups have changed.
    package init(_ machine: Machine) throws(SetupError) {
        self.machine = machine
        manifest = try SetupManifest(of: machine)
    }

    /// What has to be changed; nothing is.
    package func plan() -> SetupReport {
        let plan = SetupPlan(machine, manifest)
        return SetupReport(.planned, machine, changes: plan.changes, attention: plan.attention)
    }

    /// Changes what has to be changed.
    package mutating func apply() throws(SetupError) -> SetupReport {
        let plan = SetupPlan(machine, manifest)
        if !plan.changes.isEmpty { try manifest.add(plan.changes) }
        for change in plan.changes { try change.make(in: machine.tree) }
        if !plan.changes.isEmpty { try manifest.confirm() }
        return SetupReport(.made, machine, changes: plan.changes, attention: plan.attention)
    }

    /// Takes back what all set-ups have changed. What somebody has changed since is left as it is.
    package mutating func undo() throws(SetupError) -> SetupReport {
        var undone: [SetupChange] = []
        var left: [SetupManifest.Entry] = []
        var attention: [String] = []
        for entry in manifest.entries.reversed() {
            let (change, reversed) = (entry.change, entry.change.reversed)
            switch reversed.standing(in: machine.tree) {
            case .made:
                break
            case .conflicting:
                attention.append("\(SafeText.clean(change.path.utf8)) was changed since and stays as it is")
                left.insert(entry, at: 0)
            case .due where change.after == .directory && !machine.tree.names(in: FilePath(change.path)).isEmpty:
                // Somebody has put something there.
                break
            case .due:
                try reversed.make(in: machine.tree)
                undone.append(reversed)
            }
        }
        try manifest.reduce(to: left)
        return SetupReport(.undone, machine, changes: undone, attention: attention)
    }
}
