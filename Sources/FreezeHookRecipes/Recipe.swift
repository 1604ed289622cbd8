// SPDX-License-Identifier: Apache-2.0

import FreezeHook
import FreezeHookBase
import Glibc
import SystemPackage

/// A hook that this project ships for one application; a link in the hook directory enables it.
package struct Recipe: Equatable, Sendable {
    /// Its file, as the system that it is installed on knows it.
    package var path: FilePath
    /// What its first lines say of it.
    package var header: HookHeader

    /// The application's name, which is that of the file.
    package var name: String { path.name }

    // Between what comes before the databases and what comes after them.
    private static let defaultOrder = 50

    /// What the link is called: its number orders the hooks, applications before their databases.
    package var linkName: String {
        let number = String(header.order ?? Self.defaultOrder)
        return (number.count < 2 ? "0" : "") + number + "-" + name
    }
}

/// The recipes cannot be listed.
package struct RecipeDirectoryError: Error, CustomStringConvertible {
    /// The directory.
    package var path: FilePath
    /// What the kernel said.
    package var reason: Errno

    /// What happened, without a full stop.
    package var problem: String { "the recipes in \(SafeText.clean(path)) cannot be read: \(reason)" }

    /// What to do about it.
    package var repair: String { "name their directory with --recipe-dir" }

    package var description: String { "\(problem); \(repair)" }
}

/// The directory in which the recipes are installed.
package struct RecipeDirectory {
    /// Its path, as the system that it is in knows it.
    package var path: FilePath

    /// Where packages put them.
    package static let usual = FilePath("/usr/libexec/fsfreeze-hook/recipes")

    /// The directory at a path.
    package init(path: FilePath) {
        self.path = path
    }

    /// The directory that belongs to this program: beside the one it lies in, below the same prefix.
    package static var own: RecipeDirectory {
        guard let program = realpath("/proc/self/exe", nil) else { return RecipeDirectory(path: usual) }
        defer { free(program) }
        let prefix = FilePath(platformString: program).removingLastComponent().removingLastComponent()
        let beside = prefix.appending("libexec/fsfreeze-hook/recipes")
        return RecipeDirectory(path: beside.withPlatformString { access($0, R_OK) } == 0 ? beside : usual)
    }

    /// The recipes in the order of their names. The directory's path and theirs are as the system knows them.
    package func recipes(in tree: SystemTree = .machine) throws(RecipeDirectoryError) -> [Recipe] {
        do {
            return try HookDirectory(path: tree.place(of: path), settings: Settings()).entries().map {
                Recipe(
                    path: FilePath(bytes: path.bytes + [UInt8(ascii: "/")] + $0.hook.path.nameBytes),
                    header: .read(from: $0.hook.path))
            }
        } catch {
            throw RecipeDirectoryError(path: path, reason: error)
        }
    }
}
