// SPDX-License-Identifier: Apache-2.0

import FreezeHook
import FreezeHookBase
import SystemPackage

extension DisplacedHook {
    /// The path of a link that makes it a hook, before the recipes for databases.
    func linkPath(on machine: Machine) -> FilePath {
        machine.locations.hookDirectory.entry(named: Array("40-".utf8) + path.nameBytes)
    }

    /// Whether `setup` makes it a hook: what nothing names has not run so far, and a path that no distribution has is an
    /// administrator's decision.
    func isLinked(by machine: Machine) -> Bool {
        canBeHook && isNamed && Self.stockPaths.contains(path)
            && FileState(of: linkPath(on: machine), in: machine.tree) == .absent
    }

    /// The step after which its work is done, as words of a sentence.
    func remedy(on machine: Machine) -> String {
        let file = ShellText.quoted(path)
        let directory = SafeText.clean(machine.locations.hookDirectory)
        return canBeHook
            ? "ln -s \(file) \(ShellText.quoted(linkPath(on: machine))) makes it a hook"
            : "it calls \(Locations.directoryName) or fsfreeze-hook itself, and cannot be a hook: put what else it does "
                + "into \(directory), and: chmod a-x \(file)"
    }
}
