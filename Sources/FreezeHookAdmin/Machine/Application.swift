// SPDX-License-Identifier: Apache-2.0

import FreezeHook
import FreezeHookBase
import FreezeHookRecipes
import SystemPackage

/// The application of a recipe, as found on a system.
package struct Application: Equatable, Sendable {
    /// The recipe that holds the application.
    package var recipe: Recipe
    /// The application's servers outside containers.
    package var processes: [SystemProcess]
    /// The containers of root's that the application runs in: names, or beginnings of ids.
    package var containers: [String]
    /// The processes of its name that are not taken for its servers.
    package var others: [NamedAlike]
    /// The application's program; nil when none is installed.
    package var program: FilePath?

    /// Whether the application runs outside containers.
    package var runs: Bool { !processes.isEmpty }

    /// Whether the application runs, in a container or not, or is installed.
    package var isHere: Bool { runs || program != nil || !containers.isEmpty }

    // RHEL keeps servers in /usr/libexec, which no PATH has. Headers of recipes name further directories.
    private static let directories: [FilePath] = [
        "/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/usr/libexec",
    ]

    /// The application of a recipe.
    init(_ recipe: Recipe, among running: RunningApplications, names: ContainerNames, in tree: SystemTree) {
        self.recipe = recipe
        let found = running.processes(of: recipe)
        processes = found.servers
        containers = found.containers.compactMap { names.name(of: $0) }
        others = found.others
        program = Self.program(of: recipe.header, in: tree)
    }

    private static func program(of header: HookHeader, in tree: SystemTree) -> FilePath? {
        let further = header.programDirectories.flatMap { matches(of: $0, in: tree) }
        let places = (directories + further).flatMap { directory in header.processes.map { directory.appending($0) } }
        return places.first { tree.has($0) }
    }

    /// The paths that match a pattern whose components may be `*`.
    private static func matches(of pattern: FilePath, in tree: SystemTree) -> [FilePath] {
        pattern.components.reduce(["/"]) { places, component in
            places.flatMap { place in
                component.string == "*"
                    ? tree.names(in: place).map { place.appending($0) } : [place.appending(component)]
            }
        }
    }
}
