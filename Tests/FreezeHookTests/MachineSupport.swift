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
            recipes: RecipeDirectory(path: RecipeDirectory.usual),
            clockIsSynchronised: clockIsSynchronised)
    }

    /// What one check finds, or all.
    func findings(_ check: String? = nil) throws -> [Finding] {
        try CheckReport(machine()).checks.filter { check == nil || $0.name == check }.flatMap(\.findings)
    }
}
