// SPDX-License-Identifier: Apache-2.0

import FreezeHookBase
import Glibc
import SystemPackage

/// One thing that a set-up changes: what has to be at the path before, and what is there afterwards.
package struct SetupChange: Codable, Equatable, Sendable {
    /// The path, as the system knows it; text, because the manifest keeps it.
    package var path: String
    /// What has to be there, so that nobody else's work is lost.
    package var before: FileState
    /// What is put there.
    package var after: FileState

    /// The change that undoes it.
    var reversed: SetupChange { SetupChange(path: path, before: after, after: before) }

    /// It as a unified diff, without colours; a link or a directory as one line.
    package var diff: [UnifiedDiff.Line] {
        let path = SafeText.clean(path.utf8)
        guard let old = before.lines, let new = after.lines else {
            // A link or a directory has no lines.
            return (before == .absent ? [] : [.removed(" \(path)\(before.words)")])
                + (after == .absent ? [] : [.added(" \(path)\(after.words)")])
        }
        let name = { (state: FileState) in state == .absent ? "/dev/null" : path }
        return [.old(name: name(before)), .new(name: name(after))] + UnifiedDiff.hunks(from: old, to: new)
    }

    /// Whether the system is still as it was, or already as it is to be.
    func standing(in tree: SystemTree) -> Standing {
        let now = FileState(of: FilePath(path), in: tree)
        if now == after { return .made }
        return now == before ? .due : .conflicting
    }

    enum Standing {
        case due, made, conflicting
    }

    /// Makes it, unless it is made already. Throws when somebody else has been there.
    func make(in tree: SystemTree) throws(SetupError) {
        switch standing(in: tree) {
        case .made: return
        case .conflicting: throw .conflict(path: path)
        case .due: break
        }
        let place = tree.place(of: FilePath(path), follows: false)
        if after == .other { throw .conflict(path: path) }
        do throws(Errno) { try put(at: place) } catch {
            throw .cannotChange(path: path, reason: error)
        }
    }

    private func put(at place: FilePath) throws(Errno) {
        switch after {
        case .absent:
            let removal = before == .directory ? AT_REMOVEDIR : 0
            try call { place.withPlatformString { unlinkat(AT_FDCWD, $0, removal) } }
        case .directory:
            try call { place.withPlatformString { mkdir($0, 0o755) } }
        case .link(let target):
            try call { target.withCString { target in place.withPlatformString { symlink(target, $0) } } }
        case .file(let bytes, let mode):
            try replaceFile(at: place, by: ".fsfreeze-hook-new", with: bytes, mode: mode, synced: true)
        case .other:
            break
        }
    }
}
