// SPDX-License-Identifier: Apache-2.0

import FreezeHookBase
import Glibc
import SystemPackage

/// The search for the directory in which the hooks lie; freeze and thaw, and every command that shows or changes hooks,
/// use this one.
package enum HookSearch {
    /// The first of the candidates with an executable in it, else the first that is there, else the first of the
    /// distributions' directories. A directory that cannot be looked at may hold hooks, and counts as one that does.
    ///
    /// - Parameter tree: the system whose paths these are.
    package static func directory(among candidates: [FilePath], in tree: SystemTree = .machine) -> FilePath {
        var present: [FilePath] = []
        for candidate in candidates where !present.contains(candidate) && isThere(candidate, in: tree) {
            present.append(candidate)
        }
        // With one directory there is nothing to choose, and the agent waits.
        let chosen = present.count > 1 ? present.first { holdsHooks($0, in: tree) } : nil
        return chosen ?? present.first ?? Locations.systemDirectories[0]
    }

    /// The candidates beside the path that the program was called by, beside that path's target, and in `/etc`.
    package static func candidates(calledPath: FilePath, in tree: SystemTree = .machine) -> [FilePath] {
        guard calledPath.bytes.contains(UInt8(ascii: "/")) else { return Locations.systemDirectories }
        // The called path first, then its target: /etc/qemu/fsfreeze-hook may be a link to /usr/sbin/fsfreeze-hook.
        let paths = [calledPath, tree.resolved(absolute(calledPath))]
        let name = Array(Locations.directoryName.utf8)
        return paths.map { FilePath(bytes: $0.parentBytes + name) } + Locations.systemDirectories
    }

    private static func isThere(_ path: FilePath, in tree: SystemTree) -> Bool {
        var status = stat()
        do throws(Errno) {
            let place = try tree.place(of: path)
            try call { place.withPlatformString { stat($0, &status) } }
        } catch {
            return error != .noSuchFileOrDirectory && error != .notDirectory
        }
        return status.st_mode & S_IFMT == S_IFDIR
    }

    private static func holdsHooks(_ path: FilePath, in tree: SystemTree) -> Bool {
        do throws(Errno) {
            for name in try directoryNames(try tree.place(of: path)) where !IgnoredNames.contains(name) {
                if HookDirectory.mayHoldHook(try tree.place(of: path.entry(named: name))) { return true }
            }
            return false
        } catch {
            return true
        }
    }
}

extension Locations {
    /// The locations for a program called by `calledPath` (argv[0]); an option replaces one.
    package init(calledPath: FilePath, hookDirectory: FilePath? = nil, configuration: FilePath? = nil) {
        let directory = absolute(
            hookDirectory ?? HookSearch.directory(among: HookSearch.candidates(calledPath: calledPath)))
        self.init(
            hookDirectory: directory,
            configuration: configuration.map(absolute) ?? Locations.configuration(beside: directory))
    }

    /// The configuration that belongs to a hook directory.
    package static func configuration(beside hookDirectory: FilePath) -> FilePath {
        FilePath(bytes: hookDirectory.parentBytes + Array("fsfreeze-hook.conf".utf8))
    }
}
