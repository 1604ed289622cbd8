// SPDX-License-Identifier: Apache-2.0

import SystemPackage

extension HookDirectory {
    /// The hooks to thaw, in the order of the thaw: the hooks of the record, wherever they are; without a record every
    /// hook of the directory.
    func entriesToThaw(of record: CycleRecord?, _ order: ThawOrder) -> [DirectoryEntry] {
        // Without a record nothing is known to be frozen: a directory that cannot be read is no failure.
        let entries =
            record.map { record in record.hooksToThaw.map { frozenEntry(at: $0.path, record) } }
            ?? ((try? entries()) ?? []).filter { if case .skipped = $0.disposition { false } else { true } }
        return order == .reverse ? entries.reversed() : entries
    }

    private func frozenEntry(at path: FilePath, _ record: CycleRecord) -> DirectoryEntry {
        var entry = entry(at: path, isFrozen: true)
        // The configuration may have become unreadable since the freeze, and the script knows no other word.
        if entry.hook.thawWord == nil { entry.hook.thawWord = record.thawWords[path] }
        return entry
    }
}
