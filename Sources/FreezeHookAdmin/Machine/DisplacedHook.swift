// SPDX-License-Identifier: Apache-2.0

import FreezeHook
import FreezeHookBase
import Glibc
import SystemPackage

/// A program of the administrator's in the place of QEMU's script: where qemu-ga calls this program instead, its work is
/// no longer done, unless it is a hook.
package struct DisplacedHook: Equatable, Sendable {
    /// The path by which qemu-ga was told of it, or where qemu-ga looks without a path.
    package var path: FilePath
    /// Whether a file of the agent's service names it, so that its work was done; otherwise it only lies there.
    package var isNamed: Bool
    /// Whether it can be made a hook as it is: it calls neither the hook directory nor this program itself.
    package var canBeHook: Bool

    /// The paths at which distributions have QEMU's script: none of them is an administrator's decision.
    package static let stockPaths: [FilePath] = [
        "/etc/qemu/fsfreeze-hook", "/etc/qemu-ga/fsfreeze-hook", "/etc/qemu-kvm/fsfreeze-hook",
    ]

    /// Whether the program at a path is QEMU's script, or none is there: nobody misses its work.
    static func isStock(_ path: FilePath, in tree: SystemTree) -> Bool {
        guard let status = tree.status(of: path), status.st_mode & S_IFMT == S_IFREG else { return true }
        return tree.bytes(of: path).map(StockScript.isStock) ?? false
    }

    /// The displaced hook at a path; nil for QEMU's script, for this program, and for what is no executable file.
    init?(_ path: FilePath, isNamed: Bool = true, program: FilePath, in tree: SystemTree) {
        let target = tree.resolved(path)
        guard target != tree.resolved(program), target != "/dev/null", let status = tree.status(of: path),
            status.st_mode & S_IFMT == S_IFREG, status.st_mode & S_IXUSR != 0, !Self.isStock(path, in: tree)
        else { return nil }
        self.path = path
        self.isNamed = isNamed
        let text = tree.bytes(of: path) ?? []
        canBeHook = ![Locations.directoryName, program.string].contains { Self.contains(text, Array($0.utf8)) }
    }

    /// The displaced hooks of a system, each file once.
    static func all(service: AgentService?, program: FilePath, in tree: SystemTree) -> [DisplacedHook] {
        let named = service?.namedHooks(in: tree) ?? []
        var files: [FilePath] = []
        // A stock path comes first: it is the better name for a file that has two.
        return (stockPaths.filter(named.contains) + named + stockPaths).compactMap { path in
            guard path.isAbsolute, !files.contains(tree.resolved(path)) else { return nil }
            files.append(tree.resolved(path))
            return DisplacedHook(path, isNamed: named.contains(path), program: program, in: tree)
        }
    }

    private static func contains(_ text: [UInt8], _ word: [UInt8]) -> Bool {
        text.indices.contains { text[$0...].starts(with: word) }
    }
}
