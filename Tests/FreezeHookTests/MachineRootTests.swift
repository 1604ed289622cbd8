// SPDX-License-Identifier: Apache-2.0

import SystemPackage
import TestSupport
import Testing

@testable import FreezeHook
@testable import FreezeHookAdmin
@testable import FreezeHookBase
@testable import FreezeHookRecipes

/// The locations of another system.
@Suite struct MachineRootTests {
    private let here = Locations(
        calledPath: "/sandbox/fsfreeze-hook", hookDirectory: "/sandbox/hooks", configuration: "/sandbox/conf")

    @Test func `The agent's own directory in the other system is taken, and the configuration beside it`() throws {
        let fixture = try SystemFixture(.rhel9)
        let machine = try Machine(root: FilePath(fixture.root), locations: here)
        #expect(machine.tree.root == FilePath(fixture.root))
        #expect(machine.program == "/usr/sbin/fsfreeze-hook")
        #expect(machine.locations.hookDirectory == "/etc/qemu-ga/fsfreeze-hook.d")
        #expect(machine.locations.configuration == "/etc/qemu-ga/fsfreeze-hook.conf")
        #expect(machine.locations.runDirectory == here.runDirectory)
        #expect(machine.recipes.contains { $0.path == "/usr/libexec/fsfreeze-hook/recipes/mariadb" })
        #expect(machine.recipesError == nil)
        #expect(machine.clockIsSynchronised == nil)
    }

    @Test func `Without either directory it is the usual one`() throws {
        let fixture = try SystemFixture(.debian12)
        fixture.remove(fixture.family.hookDirectory)
        let machine = try Machine(root: FilePath(fixture.root), locations: here)
        #expect(machine.locations.hookDirectory == "/etc/qemu/fsfreeze-hook.d")
        #expect(machine.locations.configuration == "/etc/qemu/fsfreeze-hook.conf")
    }

    @Test func `What is named is taken`() throws {
        func places(hooks: FilePath? = nil, configuration: FilePath? = nil) throws -> [FilePath] {
            let fixture = try SystemFixture(.rhel9)
            let machine = try Machine(
                root: FilePath(fixture.root), locations: here, hookDirectory: hooks, configuration: configuration)
            return [machine.locations.hookDirectory, machine.locations.configuration]
        }
        #expect(try places(hooks: "/opt/hooks.d") == ["/opt/hooks.d", "/opt/fsfreeze-hook.conf"])
        #expect(try places(configuration: "/opt/conf") == ["/etc/qemu-ga/fsfreeze-hook.d", "/opt/conf"])
        #expect(try places(hooks: "/opt/hooks.d", configuration: "/srv/conf") == ["/opt/hooks.d", "/srv/conf"])
    }

    @Test func `A recipes' directory that is not there leaves the rest to be looked at`() throws {
        let fixture = try SystemFixture(.debian12)
        let machine = try Machine(root: FilePath(fixture.root), locations: here, recipeDirectory: "/opt/recipes")
        #expect(machine.recipes == [])
        #expect(machine.recipesError?.path == "/opt/recipes")
        #expect(machine.recipesError?.reason == .noSuchFileOrDirectory)
        #expect(machine.agent.isCalled)
    }

    @Test func `A system without the program is refused`() throws {
        let fixture = try SystemFixture(.debian12)
        fixture.remove("/usr/sbin/fsfreeze-hook")
        let root = FilePath(fixture.root)
        let error = #expect(throws: NotInstalledError.self) { try Machine(root: root, locations: here) }
        #expect(error?.program == "/usr/sbin/fsfreeze-hook")
        #expect(error?.root == root)
    }

    @Test func `The root is this machine`() throws {
        let machine = try Machine(root: "/", locations: here, recipeDirectory: FilePath(Checkout.path("hooks/recipes")))
        #expect(machine.tree.isMachine)
        #expect(machine.locations == here)
        #expect(machine.program == SystemTree.machine.resolved("/proc/self/exe"))
        #expect(machine.recipes.contains { $0.name == "mariadb" })
    }
}
