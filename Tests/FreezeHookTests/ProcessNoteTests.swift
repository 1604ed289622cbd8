// SPDX-License-Identifier: Apache-2.0

import Glibc
import SystemPackage
import TestSupport
import Testing

@testable import FreezeHook
@testable import FreezeHookBase

/// What a new process writes before it executes its program.
@Suite struct ProcessNoteTests {
    private let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    private func spawn(_ script: String, notes: [ProcessNote]) -> Spawn {
        var spawn = Spawn(path: "/bin/sh", arguments: ["sh", "-c", script].map(bytes), environment: [])
        spawn.notes = notes
        return spawn
    }

    private func note(in file: borrowing Descriptor, _ prefix: String = "process\t") -> ProcessNote {
        ProcessNote(descriptor: file.number, prefix: bytes(prefix))
    }

    private func open(_ name: String, _ flags: Int32 = O_RDWR | O_CREAT | O_APPEND) throws -> Descriptor {
        try Descriptor(opening: FilePath("\(directory.path)/\(name)"), flags, mode: 0o600)
    }

    @Test func `The notes are lines of the record`() throws {
        let record = try open("record")
        let client = try open("client")
        let notes = [
            ProcessNote(descriptor: record.number, prefix: RecordEntry.prefix { .process($0) }),
            ProcessNote(descriptor: client.number, prefix: RecordEntry.prefix { .client(hold: "d\tb", $0) }),
        ]
        let pid = try spawn("exit 3", notes: notes).start()
        let process = ProcessIdentity(of: pid)
        #expect(notes.allSatisfy { $0.fault == nil })
        #expect(process.startTime != 0)
        #expect(Files.bytes(of: "\(directory.path)/record") == RecordEntry.process(process).line)
        #expect(Files.bytes(of: "\(directory.path)/client") == RecordEntry.client(hold: "d\tb", process).line)
        var status: Int32 = 0
        #expect(waitpid(pid, &status, 0) == pid && WaitStatus(status) == .exited(3))
        record.close()
        client.close()
    }

    @Test func `A note that cannot be written says why`() throws {
        let file = try open("record")
        let reader = try open("record", O_RDONLY)
        let full = try Descriptor(opening: "/dev/full", O_WRONLY)
        let notes = [note(in: reader), note(in: file), note(in: full)]
        let pid = try spawn("exit 0", notes: notes).start()
        #expect(waitpid(pid, nil, 0) == pid)
        #expect(notes.map(\.fault) == [.badFileDescriptor, nil, .noSpace])
        full.close()
        reader.close()
        file.close()
    }
}
