// SPDX-License-Identifier: Apache-2.0

import SystemPackage

extension HookDirectory {
    /// The hooks to thaw, in the order of the thaw: the hooks of a record, wherever they are; without a record, nil, every
    /// hook of the directory.
    ///
    /// - Parameters:
    ///   - words: the words of the thaw that the record has.
    ///   - unreadable: gets the error of a directory that is there and cannot be listed.
    func entriesToThaw(
        _ paths: [FilePath]?, _ order: ThawOrder, words: [FilePath: String] = [:],
        unreadable: (Errno) -> Void = { _ in }
    ) -> [DirectoryEntry] {
        let entries = paths.map { $0.map { frozenEntry(at: $0, words) } } ?? everyEntry(unreadable)
        return order == .reverse ? entries.reversed() : entries
    }

    private func everyEntry(_ unreadable: (Errno) -> Void) -> [DirectoryEntry] {
        do throws(Errno) {
            return try entries().filter { if case .skipped = $0.disposition { false } else { true } }
        } catch {
            if error != .noSuchFileOrDirectory { unreadable(error) }
            return []
        }
    }

    private func frozenEntry(at path: FilePath, _ words: [FilePath: String]) -> DirectoryEntry {
        var entry = entry(at: path, isFrozen: true)
        // The configuration may have become unreadable since the freeze, and the script knows no other word.
        if entry.hook.thawWord == nil { entry.hook.thawWord = words[path] }
        return entry
    }
}
