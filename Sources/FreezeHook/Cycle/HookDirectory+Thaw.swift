// SPDX-License-Identifier: Apache-2.0

import SystemPackage

extension HookDirectory {
    /// The hooks to thaw, in the order of the thaw: the hooks of a record, wherever they are; without a record, nil, every
    /// hook of the directory.
    ///
    /// - Parameter words: the words of the thaw that the record has.
    func entriesToThaw(_ paths: [FilePath]?, _ order: ThawOrder, words: [FilePath: String] = [:]) -> [DirectoryEntry] {
        // Without a record nothing is known to be frozen: a directory that cannot be read is no failure.
        let entries =
            paths.map { $0.map { frozenEntry(at: $0, words) } }
            ?? ((try? entries()) ?? []).filter { if case .skipped = $0.disposition { false } else { true } }
        return order == .reverse ? entries.reversed() : entries
    }

    private func frozenEntry(at path: FilePath, _ words: [FilePath: String]) -> DirectoryEntry {
        var entry = entry(at: path, isFrozen: true)
        // The configuration may have become unreadable since the freeze, and the script knows no other word.
        if entry.hook.thawWord == nil { entry.hook.thawWord = words[path] }
        return entry
    }
}
