// SPDX-License-Identifier: Apache-2.0

import FreezeHookBase
import Glibc

/// The file in the run directory that names a holder's client. A thaw ends the clients of killed holders by it, also
/// where no cycle records the session.
struct ClientNote {
    let runDirectory: RunDirectory
    let hold: String

    private static let prefix = "client-"
    private var name: String { Self.prefix + hold }

    /// The file, to be written; nil when it cannot be made.
    func open() -> Descriptor? {
        let flags = O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW
        return try? Descriptor(opening: name, in: runDirectory.descriptor, flags, mode: 0o600)
    }

    /// The file's line, which the client itself writes.
    func line(in file: Int32) -> ProcessNote {
        ProcessNote(descriptor: file, prefix: RecordEntry.prefix(of: { .client(hold: hold, $0) }))
    }

    func remove() {
        runDirectory.remove(name)
    }

    /// Whether a holder has left the note.
    var exists: Bool { runDirectory.has(name) }

    /// Ends the clients of killed holders, and removes their sockets and notes.
    static func sweep(_ runDirectory: RunDirectory, grace: Duration) {
        for name in runDirectory.names() where name.hasPrefix(prefix) {
            let note = ClientNote(runDirectory: runDirectory, hold: String(name.dropFirst(prefix.count)))
            let socket = Holder.socketName(of: note.hold)
            guard LocalSocket.isGone(socket, in: runDirectory) else { continue }
            if let client = note.client { ProcessFamily(leader: client).end(grace: grace) }
            runDirectory.remove(socket)
            note.remove()
        }
    }

    private var client: ProcessIdentity? {
        let line = FieldLine.lines(of: runDirectory.read(name, limit: 4096) ?? []).first
        guard let line, case .client(_, let process) = RecordEntry(line: line) else { return nil }
        return process
    }
}
