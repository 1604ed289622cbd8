// SPDX-License-Identifier: Apache-2.0

import SystemPackage

extension HookDirectory {
    /// The hooks to thaw, in the order of the thaw: the hooks of a record, wherever they are; without a record, nil, every
    /// hook of the directory.
    func entriesToThaw(_ paths: [FilePath]?, _ order: ThawOrder) -> [DirectoryEntry] {
        // Without a record nothing is known to be frozen: a directory that cannot be read is no failure.
        let entries =
            paths.map { $0.map(entry) }
            ?? ((try? entries()) ?? []).filter { if case .skipped = $0.disposition { false } else { true } }
        return order == .reverse ? entries.reversed() : entries
    }
}
