// SPDX-License-Identifier: Apache-2.0

import FreezeHookBase
import Glibc
import SystemPackage

/// The file of the cycle record in the run directory. Lines are only ever appended, each before what it tells of is
/// done, so that a kill at any moment leaves the whole list of what has to be thawed. Holders append to it too.
package final class CycleRecorder {
    /// The file's name; the packages' scripts look for it, too (packaging/scriptlets/agent.sh).
    static let name = "cycle"
    // A record of 100,000 hooks is far below this.
    private static let sizeLimit = 64 << 20

    private let runDirectory: RunDirectory
    private let file: Descriptor?
    /// Why an entry could not be written; the record is gone then, so that the thaw calls every hook of the directory.
    package private(set) var failure: Errno?

    /// How the file is opened.
    enum Mode {
        /// Empty: a new cycle begins.
        case new
        /// To go on with; it must be there.
        case existing
    }

    /// Opens the record to append to it.
    init(in runDirectory: RunDirectory, _ mode: Mode) {
        self.runDirectory = runDirectory
        let flags = O_RDWR | O_APPEND | O_NOFOLLOW | (mode == .new ? O_CREAT | O_TRUNC : 0)
        do throws(Errno) {
            file = try Descriptor(opening: Self.name, in: runDirectory.descriptor, flags, mode: 0o600)
        } catch {
            file = nil
            failure = error
        }
        guard let descriptor = file.number else { return }
        // A kill may have torn the last line: what follows must be a line of its own, and what is torn must not count as
        // whole. No entry has as many fields as these tabs make.
        var status = stat()
        var last: UInt8 = 0
        if fstat(descriptor, &status) == 0, pread(descriptor, &last, 1, status.st_size - 1) == 1,
            last != UInt8(ascii: "\n")
        {
            _ = write(descriptor, "\t\t\t\t\t\t\t\n", 8)
        }
    }

    /// The bytes of the record, or nil when there is none.
    static func contents(in runDirectory: RunDirectory) -> [UInt8]? {
        runDirectory.read(name, limit: sizeLimit)
    }

    /// The record of an unfinished cycle, if there is one.
    package static func read(in runDirectory: RunDirectory) -> CycleRecord? {
        contents(in: runDirectory).flatMap { CycleRecord(parsing: $0) }
    }

    /// Appends an entry with one `write`.
    func append(_ entry: RecordEntry) {
        guard failure == nil, let descriptor = file.number else { return }
        let line = entry.line
        do throws(Errno) {
            let count = try call { write(descriptor, line, line.count) }
            if count == line.count { return }
            failure = .noSpace
        } catch {
            failure = error
        }
        // A list with a gap would leave hooks frozen; without one the thaw calls all of them.
        remove()
    }

    /// Removes the record: the cycle has ended.
    func remove() {
        runDirectory.remove(Self.name)
    }
}
