// SPDX-License-Identifier: Apache-2.0

import SystemPackage

extension HookDirectory {
    /// The hooks to thaw, in the order of the thaw: the hooks of the record, wherever they are; without a record every
    /// hook of the directory.
    func entriesToThaw(of record: CycleRecord?, _ order: ThawOrder) -> [DirectoryEntry] {
        // Without a record nothing is known to be frozen: a directory that cannot be read is no failure.
        let entries =
            record.map { $0.hooksToThaw.map { entry(at: $0.path) } }
            ?? ((try? entries()) ?? []).filter { if case .skipped = $0.disposition { false } else { true } }
        return order == .reverse ? entries.reversed() : entries
    }
}
