// SPDX-License-Identifier: Apache-2.0

import SystemPackage
import TestSupport

@testable import FreezeHook
@testable import FreezeHookAdmin
@testable import FreezeHookBase
@testable import FreezeHookRecipes

extension SystemFixture {
    /// The facts of the machine.
    func machine(clockIsSynchronised: Bool? = nil, policy: SELinuxFixture? = nil) throws -> Machine {
        let tree = SystemTree(root: FilePath(root))
        var locations = Locations(calledPath: "fsfreeze-hook", hookDirectory: FilePath(family.hookDirectory))
        locations.runDirectory = "/run/fsfreeze-hook"
        let ask: SELinuxPolicy.Ask? = policy.map { policy in
            let answers = policy.answers
            return { answers($0.string, $1) }
        }
        return Machine(
            tree: tree, program: "/usr/sbin/fsfreeze-hook", locations: locations,
            recipes: RecipeDirectory(path: RecipeDirectory.defaultPath),
            clockIsSynchronised: clockIsSynchronised, askingPolicy: ask)
    }

    /// The findings of one check.
    func findings(_ name: String) throws -> [Finding] {
        guard let check = Checks.all.first(where: { $0.name == name }) else { throw TestFailure("no check \(name)") }
        return check.findings(try machine())
    }

    /// The findings of all checks.
    func findings() throws -> [Finding] { try CheckReport(machine()).checks.flatMap(\.findings) }
}
