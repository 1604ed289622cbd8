// SPDX-License-Identifier: Apache-2.0

import SystemPackage
import TestSupport

@testable import FreezeHook
@testable import FreezeHookAdmin
@testable import FreezeHookBase
@testable import FreezeHookRecipes

extension SystemFixture {
    /// What is known of the machine.
    func machine(clockIsSynchronised: Bool? = nil) throws -> Machine {
        let tree = SystemTree(root: FilePath(root))
        var locations = Locations(calledPath: "fsfreeze-hook", hookDirectory: FilePath(family.hookDirectory))
        locations.runDirectory = "/run/fsfreeze-hook"
        return Machine(
            tree: tree, program: "/usr/sbin/fsfreeze-hook", locations: locations,
            recipes: RecipeDirectory(path: RecipeDirectory.defaultPath),
            clockIsSynchronised: clockIsSynchronised)
    }

    /// What one check finds.
    func findings(_ name: String) throws -> [Finding] {
        guard let check = Checks.all.first(where: { $0.name == name }) else { throw TestFailure("no check \(name)") }
        return check.findings(try machine())
    }

    /// What all checks find.
    func findings() throws -> [Finding] { try CheckReport(machine()).checks.flatMap(\.findings) }
}
