// SPDX-License-Identifier: Apache-2.0

import FreezeHook
import FreezeHookBase
import SystemPackage

/// What set-ups have changed, in the state directory, so that it can be taken back.
struct SetupManifest {
    static let name = "setup.json"
    private let directory: StateDirectory
    private let path: FilePath
    private(set) var entries: [Entry]

    /// A change, and whether it was made: it is noted before.
    struct Entry: Codable {
        var change: SetupChange
        var isMade = false
    }

    /// The manifest of a system.
    init(of machine: Machine) throws(SetupError) {
        path = machine.locations.stateDirectory
        directory = StateDirectory(path: machine.tree.place(of: path))
        guard let bytes = directory.read(Self.name) else {
            entries = []
            return
        }
        // To forget what was changed would leave it for ever.
        guard let kept = JSONText.value(of: [Entry].self, in: bytes) else {
            throw .manifestUnreadable(directory: path)
        }
        entries = kept
    }

    /// Notes changes before they are made: what a kill leaves half done can be undone.
    mutating func add(_ new: [SetupChange]) throws(SetupError) {
        for change in new {
            if let index = entries.firstIndex(where: { $0.change.path == change.path }) {
                entries[index].change.after = change.after
            } else {
                entries.append(Entry(change: change))
            }
        }
        try keep()
    }

    /// Notes that all of them are made.
    mutating func confirm() throws(SetupError) {
        for index in entries.indices { entries[index].isMade = true }
        try keep()
    }

    /// Forgets all but these.
    mutating func reduce(to remaining: [Entry]) throws(SetupError) {
        entries = remaining
        if entries.isEmpty { directory.remove(Self.name) } else { try keep() }
    }

    private func keep() throws(SetupError) {
        do {
            try directory.replace(Self.name, with: Array(try JSONText.line(of: entries).utf8))
        } catch {
            throw .cannotKeep(directory: path, reason: error as? Errno ?? .ioError)
        }
    }
}
