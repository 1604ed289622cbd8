// SPDX-License-Identifier: Apache-2.0

import FreezeHookBase
import Glibc
import SystemPackage

/// The writer of the cycle record, a file in the run directory. Each line is appended before its act, so that a kill at
/// any moment leaves the whole list of hooks to thaw. Holders append to the file too.
package final class CycleRecorder {
    /// The file's name, which the packages' scripts know too (packaging/scriptlets/agent.sh).
    static let name = "cycle"
    /// The name of a new record until it takes the place of the old one.
    static let newName = "\(name).new"
    // Far above the size of a record of 100,000 hooks.
    private static let sizeLimit = 64 << 20

    private let runDirectory: RunDirectory
    private let file: Descriptor?
    /// Why an entry could not be written; the record is removed then, and the thaw calls every hook of the directory.
    package private(set) var failure: Errno?

    /// The ways to open the file.
    enum Mode {
        /// A new cycle begins: a new file takes the place of the old one.
        case new
        /// A cycle goes on: the file must be there.
        case existing
    }

    /// Opens the record to append to it; a new one begins with these entries.
    init(in runDirectory: RunDirectory, _ mode: Mode, beginning entries: [RecordEntry] = []) {
        self.runDirectory = runDirectory
        do throws(Errno) {
            file = Descriptor(owning: try Self.open(in: runDirectory, mode, entries))
        } catch {
            file = nil
            failure = error
            if mode == .new { runDirectory.remove(Self.name) }
        }
        guard mode == .existing, let descriptor = file.number else { return }
        // A kill may have torn the last line. The newline ends that line, and the tabs give it more fields than any
        // entry has, so that it counts as none.
        var status = stat()
        var last: UInt8 = 0
        if fstat(descriptor, &status) == 0, pread(descriptor, &last, 1, status.st_size - 1) == 1,
            last != UInt8(ascii: "\n")
        {
            _ = write(descriptor, "\t\t\t\t\t\t\t\n", 8)
        }
    }

    /// The descriptor of the file, which is tried for twice: a cycle without a record is the worse for a passing want.
    private static func open(
        in runDirectory: RunDirectory, _ mode: Mode, _ entries: [RecordEntry]
    ) throws(Errno) -> Int32 {
        func once() throws(Errno) -> Int32 {
            switch mode {
            case .new: try replace(in: runDirectory, with: entries)
            case .existing: try Descriptor(opening: name, in: runDirectory.descriptor, flags).release()
            }
        }
        do throws(Errno) { return try once() } catch { return try once() }
    }

    private static let flags = O_RDWR | O_APPEND | O_NOFOLLOW

    /// Puts a new file in the record's place; returns its descriptor.
    ///
    /// A file of its own: a process that was stopped in an earlier cycle may go on at any moment, and still has the old
    /// file open. The name is taken with rename(2): what the old record knows is lost at no moment.
    private static func replace(in runDirectory: RunDirectory, with entries: [RecordEntry]) throws(Errno) -> Int32 {
        let directory = runDirectory.descriptor
        do throws(Errno) {
            return try make(in: directory, entries)
        } catch .noSpace {
            // The old record's page is the room for the new one.
            runDirectory.remove(name)
            return try make(in: directory, entries)
        }
    }

    private static func make(in directory: Int32, _ entries: [RecordEntry]) throws(Errno) -> Int32 {
        let new = newName
        unlinkat(directory, new, 0)
        let file = try Descriptor(opening: new, in: directory, flags | O_CREAT | O_EXCL, mode: 0o600)
        do throws(Errno) {
            try writeAll(file.number, entries.flatMap(\.line))
            try call { renameat(directory, new, directory, name) }
        } catch {
            unlinkat(directory, new, 0)
            throw error
        }
        return file.release()
    }

    /// The bytes of the record, or nil when there is none.
    static func contents(in runDirectory: RunDirectory) -> [UInt8]? {
        runDirectory.read(name, limit: sizeLimit)
    }

    /// The record in the run directory, of any cycle and any boot; nil when there is none.
    package static func read(in runDirectory: RunDirectory) -> CycleRecord? {
        contents(in: runDirectory).flatMap { CycleRecord(parsing: $0) }
    }

    /// The record in this file, whatever has become of the file's name; nil when it cannot be read.
    var record: CycleRecord? {
        guard let descriptor = file.number, lseek(descriptor, 0, SEEK_SET) == 0 else { return nil }
        return (try? readAll(descriptor, limit: Self.sizeLimit)).flatMap { CycleRecord(parsing: $0) }
    }

    /// Appends an entry with one `write`; one that fails is tried once more.
    func append(_ entry: RecordEntry) {
        guard failure == nil, let descriptor = file.number else { return }
        let line = entry.line
        var error: Errno?
        for _ in 0..<2 {
            do throws(Errno) {
                if try call({ write(descriptor, line, line.count) }) == line.count { return }
                error = .noSpace
                break
            } catch let reason {
                error = reason
            }
        }
        if let error { fail(error) }
    }

    /// The line of an entry that ends in a process which is about to be started; nil without a record.
    func note(_ entry: (ProcessIdentity) -> RecordEntry) -> ProcessNote? {
        guard failure == nil, let descriptor = file.number else { return nil }
        return ProcessNote(descriptor: descriptor, prefix: RecordEntry.prefix(of: entry))
    }

    /// Takes notice of whether the process has written its line.
    func settle(_ note: ProcessNote?) {
        if let fault = note?.fault { fail(fault) }
    }

    private func fail(_ error: Errno) {
        failure = error
        // A record with a gap would leave hooks frozen; without a record the thaw calls every hook.
        remove()
    }

    /// Removes the record, unless that of another cycle has taken its place.
    func remove() {
        guard let descriptor = file.number else { return }
        var (own, current) = (stat(), stat())
        guard fstat(descriptor, &own) == 0,
            fstatat(runDirectory.descriptor, Self.name, &current, AT_SYMLINK_NOFOLLOW) == 0,
            own.st_ino == current.st_ino && own.st_dev == current.st_dev
        else { return }
        runDirectory.remove(Self.name)
    }
}
