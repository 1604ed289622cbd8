// SPDX-License-Identifier: Apache-2.0

import FreezeHookBase
import Glibc
import SystemPackage

/// One change of a set-up: a path with its states before and after.
package struct SetupChange: Codable, Equatable, Sendable {
    /// The path in the system; text, because the manifest keeps it.
    package var path: String
    /// The state that the path must have, so that nobody else's work is lost.
    package var before: FileState
    /// The state that the change gives the path.
    package var after: FileState

    /// The change that takes this one back.
    var reversed: SetupChange { SetupChange(path: path, before: after, after: before) }

    /// The change as a unified diff, without colours; a link or a directory as one line.
    package var diff: [UnifiedDiff.Line] {
        let path = SafeText.clean(path.utf8)
        guard let old = before.lines, let new = after.lines else {
            return (before == .absent ? [] : [.removed(" \(path)\(before.words)")])
                + (after == .absent ? [] : [.added(" \(path)\(after.words)")])
        }
        let name = { (state: FileState) in state == .absent ? "/dev/null" : path }
        return [.old(name: name(before)), .new(name: name(after))] + UnifiedDiff.hunks(from: old, to: new)
    }

    /// Whether the path is still in the state before, already in the state after, or in another one.
    func standing(in tree: SystemTree) -> Standing {
        let now = FileState(of: FilePath(path), in: tree)
        if now == after { return .made }
        return now == before ? .due : .conflicting
    }

    enum Standing {
        case due, made, conflicting
    }

    /// Makes the change, unless it is made already. Throws when the path is in another state, or cannot be changed.
    func make(in tree: SystemTree) throws(SetupError) {
        switch standing(in: tree) {
        case .made: return
        case .conflicting: throw .conflict(path: path)
        case .due: break
        }
        if !after.canBeMade { throw .conflict(path: path) }
        do throws(Errno) { try put(in: tree) } catch {
            throw .cannotChange(path: path, reason: error)
        }
    }

    private func put(in tree: SystemTree) throws(Errno) {
        let path = FilePath(path)
        switch after {
        case .absent:
            if before == .directory { try tree.removeDirectory(path) } else { try tree.remove(path) }
        case .directory:
            try tree.makeDirectory(path, mode: 0o755)
        case .link(let target):
            try tree.makeLink(path, to: FilePath(target))
        case .file(let bytes, let mode):
            try tree.replaceFile(path, by: ".fsfreeze-hook-new", with: bytes, mode: mode)
        case .other:
            break
        }
    }
}
