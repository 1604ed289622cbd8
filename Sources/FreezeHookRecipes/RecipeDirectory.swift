// SPDX-License-Identifier: Apache-2.0

import FreezeHook
import FreezeHookBase
import Glibc
import SystemPackage

/// The recipes cannot be listed.
package struct RecipeDirectoryError: Error, CustomStringConvertible {
    /// The directory.
    package var path: FilePath
    /// The kernel's error.
    package var reason: Errno

    /// The problem, without its repair.
    package var problem: String { "the recipes in \(SafeText.clean(path)) cannot be read: \(reason)" }

    /// The repair, without the problem.
    package var repair: String { "name their directory with --recipe-dir" }

    package var description: String { "\(problem); \(repair)" }
}

/// The directory in which the recipes are installed.
package struct RecipeDirectory {
    /// The path in its system.
    package var path: FilePath

    /// The directory of the packages.
    package static let defaultPath = FilePath("/usr/libexec/fsfreeze-hook/recipes")

    /// The directory at a path.
    package init(path: FilePath) {
        self.path = path
    }

    /// The directory that belongs to this program: `libexec` below the program's prefix, or else the default.
    package static var own: RecipeDirectory {
        guard let program = realpath("/proc/self/exe", nil) else { return RecipeDirectory(path: defaultPath) }
        defer { free(program) }
        let prefix = FilePath(platformString: program).removingLastComponent().removingLastComponent()
        let beside = prefix.appending("libexec/fsfreeze-hook/recipes")
        return RecipeDirectory(path: beside.withPlatformString { access($0, R_OK) } == 0 ? beside : defaultPath)
    }

    /// The recipes in the order of their names, with paths in the system. Throws when the directory cannot be read.
    package func recipes(in tree: SystemTree = .machine) throws(RecipeDirectoryError) -> [Recipe] {
        do {
            let entries = try HookDirectory.entries(of: path, in: tree, settings: Settings())
            return entries.map { entry in
                let own = path.entry(named: entry.hook.path.nameBytes)
                // What does not run has no header yet; what is no file has none at all.
                guard let place = try? tree.place(of: own), tree.hasFile(own) else {
                    return Recipe(path: own, header: HookHeader())
                }
                return Recipe(path: own, header: (try? .read(from: place)) ?? HookHeader())
            }
        } catch {
            throw RecipeDirectoryError(path: path, reason: error)
        }
    }
}
