// SPDX-License-Identifier: Apache-2.0

import FreezeHookBase
import SystemPackage

/// The set-up of a system, after which its applications are held: planned, made, and taken back.
package struct Setup {
    private let machine: Machine
    private var manifest: SetupManifest

    /// Reads what earlier set-ups have changed. Throws when the manifest cannot be read.
    package init(_ machine: Machine) throws(SetupError) {
        self.machine = machine
        manifest = try SetupManifest(of: machine)
    }

    /// The changes that `apply` would make; nothing is changed.
    package func plan() -> SetupReport {
        let plan = SetupPlan(machine, manifest)
        return SetupReport(.planned, machine, changes: plan.changes, attention: plan.attention)
    }

    /// Makes the changes. Throws at the first that cannot be made or noted.
    package mutating func apply() throws(SetupError) -> SetupReport {
        let plan = SetupPlan(machine, manifest)
        if !plan.changes.isEmpty { try manifest.add(plan.changes) }
        for change in plan.changes { try change.make(in: machine.tree) }
        if !plan.changes.isEmpty { try manifest.confirm() }
        return SetupReport(.made, machine, changes: plan.changes, attention: plan.attention)
    }

    /// Takes back the changes of all set-ups. A path that somebody has changed since stays as it is.
    package mutating func undo() throws(SetupError) -> SetupReport {
        var undone: [SetupChange] = []
        var left: [SetupManifest.Entry] = []
        var attention: [String] = []
        let paths = SetupPaths(of: machine)
        for entry in manifest.entries.reversed() {
            let (change, reversed) = (entry.change, entry.change.reversed)
            guard paths.include(change) else {
                attention.append(
                    "\(SafeText.clean(change.path)) is nothing that 'setup' changes, and stays as it is: "
                        + "\(SetupManifest.name) was not written by this program")
                left.insert(entry, at: 0)
                continue
            }
            switch reversed.standing(in: machine.tree) {
            case .made:
                break
            case .conflicting:
                attention.append("\(SafeText.clean(change.path.utf8)) was changed since and stays as it is")
                left.insert(entry, at: 0)
            case .due where change.after == .directory && !machine.tree.names(in: FilePath(change.path)).isEmpty:
                // A directory with somebody's files stays.
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
