// SPDX-License-Identifier: Apache-2.0

import FreezeHook
import FreezeHookBase
import Glibc
import SystemPackage

/// A recipe cannot be enabled or disabled.
package enum RecipeError: Error, CustomStringConvertible {
    case unknown(name: String, directory: FilePath)
    case inTheWay(link: FilePath)
    case cannotChange(path: FilePath, reason: Errno)

    package var description: String {
        switch self {
        case .unknown(let name, let directory):
            "there is no recipe '\(SafeText.clean(name.utf8))' in \(SafeText.clean(directory)); 'fsfreeze-hook enable' lists them"
        case .inTheWay(let link):
            "\(SafeText.clean(link)) is there already and is not the recipe: rename or remove it"
        case .cannotChange(let path, let reason):
            "\(SafeText.clean(path)) cannot be changed: \(reason)"
        }
    }
}

/// The links in a hook directory that enable recipes. Other entries are left alone.
package struct RecipeLinks {
    /// The directory in which the links lie.
    package let hookDirectory: FilePath
    private let tree: SystemTree

    /// The links in a directory of a system; all paths are paths in that system.
    package init(hookDirectory: FilePath, tree: SystemTree = .machine) {
        self.hookDirectory = hookDirectory
        self.tree = tree
    }

    /// The links that lead to the recipe, whatever their names, in the order of the names.
    package func links(to recipe: Recipe) -> [FilePath] {
        let target = tree.resolved(recipe.path)
        return tree.names(in: hookDirectory).map { hookDirectory.appending($0) }.filter { path in
            guard !IgnoredNames.contains(path.nameBytes), let words = tree.link(path) else { return false }
            // A removed recipe leaves a dangling link, which cannot be resolved.
            return words == recipe.path || tree.resolved(path) == target
        }
    }

    /// Enables a recipe; returns the link, or nil when it was enabled already.
    package func enable(_ recipe: Recipe) throws(RecipeError) -> FilePath? {
        if !links(to: recipe).isEmpty { return nil }
        try makeDirectory(hookDirectory)
        let link = hookDirectory.appending(recipe.linkName)
        do throws(Errno) {
            try call { recipe.path.withPlatformString { target in link.withPlatformString { symlink(target, $0) } } }
        } catch {
            throw error == .fileExists ? .inTheWay(link: link) : .cannotChange(path: link, reason: error)
        }
        return link
    }

    /// Disables a recipe; returns the links that it removed.
    package func disable(_ recipe: Recipe) throws(RecipeError) -> [FilePath] {
        let links = links(to: recipe)
        for link in links {
            do throws(Errno) { try call { link.withPlatformString { unlink($0) } } } catch {
                if error != .noSuchFileOrDirectory { throw .cannotChange(path: link, reason: error) }
            }
        }
        return links
    }

    private func makeDirectory(_ path: FilePath) throws(RecipeError) {
        do throws(Errno) { try call { path.withPlatformString { mkdir($0, 0o755) } } } catch {
            let parent = path.removingLastComponent()
            switch error {
            case .fileExists: return
            case .noSuchFileOrDirectory where !parent.isEmpty:
                try makeDirectory(parent)
                try makeDirectory(path)
            default: throw .cannotChange(path: path, reason: error)
            }
        }
    }
}
