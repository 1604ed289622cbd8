// SPDX-License-Identifier: Apache-2.0

import FreezeHook
import FreezeHookBase
import SystemPackage

/// The changes of all set-ups of a system, kept in the state directory for `setup --undo`.
struct SetupManifest {
    static let name = "setup.json"
    private let tree: SystemTree
    private let directory: FilePath
    private(set) var entries: [Entry]

    /// A change and whether it was made: the manifest notes it before.
    struct Entry: Codable {
        var change: SetupChange
        var isMade = false
    }

    /// The manifest of a system.
    init(of machine: Machine) throws(SetupError) {
        tree = machine.tree
        directory = machine.locations.stateDirectory
        // Without its manifest a change could never be taken back.
        switch FileState(of: directory.appending(Self.name), in: tree) {
        case .absent:
            entries = []
        case .file(let bytes, _):
            guard let kept = JSONText.value(of: [Entry].self, in: bytes) else {
                throw .manifestUnreadable(directory: directory)
            }
            entries = kept
        case .directory, .link, .other:
            throw .manifestUnreadable(directory: directory)
        }
    }

    private var path: FilePath { directory.appending(Self.name) }

    /// Notes changes before they are made, so that a killed set-up can be undone.
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

    /// Notes that all changes are made.
    mutating func confirm() throws(SetupError) {
        for index in entries.indices { entries[index].isMade = true }
        try keep()
    }

    /// Keeps only these entries.
    mutating func reduce(to remaining: [Entry]) throws(SetupError) {
        entries = remaining
        if entries.isEmpty { try? tree.remove(path) } else { try keep() }
    }

    private func keep() throws(SetupError) {
        do {
            let bytes = Array(try JSONText.line(of: entries).utf8)
            if !tree.has(directory) { try tree.makeDirectory(directory, mode: 0o700) }
            try tree.replaceFile(path, by: ".new", with: bytes, mode: 0o600)
        } catch {
            throw .cannotKeep(directory: directory, reason: error as? Errno ?? .ioError)
        }
    }
}
