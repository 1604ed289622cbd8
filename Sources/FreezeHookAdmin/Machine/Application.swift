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
    /// The application's processes in containers.
    package var contained: [SystemProcess]
    /// The containers that the application runs in, each once.
    package var containers: [FoundContainer]
    /// The processes of its name that are not taken for its servers.
    package var others: [NamedAlike]
    /// The application's program; nil when none is installed.
    package var program: FilePath?

    /// Whether the application runs outside containers.
    package var runs: Bool { !processes.isEmpty }

    /// Whether the application is where its recipe can hold it: it runs, in a container of docker or podman or not, or
    /// is installed.
    package var isHere: Bool { runs || program != nil || containers.contains { $0.name != nil } }

    // RHEL keeps servers in /usr/libexec, which no PATH has. Headers of recipes name further directories.
    private static let directories: [FilePath] = [
        "/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/usr/libexec",
    ]

    /// The application of a recipe.
    init(_ recipe: Recipe, among running: RunningApplications, names: ContainerNames, in tree: SystemTree) {
        self.recipe = recipe
        let found = running.processes(of: recipe)
        processes = found.servers
        contained = found.contained
        others = found.others
        var containers: [FoundContainer] = []
        for container in contained.compactMap(\.container) {
            let found = names.name(of: container).map { FoundContainer.named($0) } ?? .other(container)
            if !containers.contains(found) { containers.append(found) }
        }
        self.containers = containers
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
