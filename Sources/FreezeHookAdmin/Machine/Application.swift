import FreezeHook
import FreezeHookBase
import FreezeHookRecipes
import SystemPackage

/// An application that a recipe is for, as it is found on a system.
package struct Application: Equatable, Sendable {
    /// The recipe that holds it.
    package var recipe: Recipe
    /// Its processes in the system itself.
    package var processes: [SystemProcess]
    /// The containers that it runs in: their names, or the beginnings of their ids; nil for those of unknown name.
    package var containers: [String?]
    /// Its program; nil when none is installed.
    package var program: FilePath?

    /// Whether it runs in the system itself.
    package var runs: Bool { !processes.isEmpty }

    /// Whether it runs, in a container or not, or is installed.
    package var isHere: Bool { runs || program != nil || !containers.isEmpty }

    // PostgreSQL's programs are in none of PATH's directories on Debian, nor OpenLDAP's on RHEL.
    private static let directories: [FilePath] = [
        "/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/usr/libexec", "/opt/influxdb/bin",
    ]
    private static let versionedDirectories: [(parent: FilePath, child: String)] = [("/usr/lib/postgresql", "bin")]

    /// The application of a recipe.
    init(_ recipe: Recipe, processes all: [SystemProcess], names: ContainerNames, in tree: SystemTree) {
        self.recipe = recipe
        let own = all.filter { recipe.header.processes.contains($0.name) }
        processes = own.filter { $0.container == nil }
        var containers: [String?] = []
        for container in own.compactMap(\.container) {
            let name = names.name(of: container)
            if !containers.contains(name) { containers.append(name) }
        }
        self.containers = containers
        program = Self.program(named: recipe.header.processes, in: tree)
    }

    private static func program(named names: [String], in tree: SystemTree) -> FilePath? {
        let versioned = versionedDirectories.flatMap { place in
            tree.names(in: place.parent).map { place.parent.appending($0).appending(place.child) }
        }
        let places = (directories + versioned).flatMap { directory in names.map { directory.appending($0) } }
        return places.first { tree.has($0) }
    }
}
