// SPDX-License-Identifier: Apache-2.0

import FreezeHookBase
import Glibc
import SystemPackage

/// The writer of the cycle record, a file in the run directory. Each line is appended before its act, so that a kill at
/// any moment leaves the whole list of hooks to thaw. Holders append to the file too.
package final class CycleRecorder {
    /// The file's name, which the packages' scripts know too (packaging/scriptlets/agent.sh).
    static let name = "cycle"
    // Far above the size of a record of 100,000 hooks.
    private static let sizeLimit = 64 << 20

    private let runDirectory: RunDirectory
    private let file: Descriptor?
    /// Why an entry could not be written; the record is removed then, and the thaw calls every hook of the directory.
    package private(set) var failure: Errno?

    /// The ways to open the file.
    enum Mode {
        /// A new cycle begins: the file is made empty.
        case new
        /// A cycle goes on: the file must be there.
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

    /// The bytes of the record, or nil when there is none.
    static func contents(in runDirectory: RunDirectory) -> [UInt8]? {
        runDirectory.read(name, limit: sizeLimit)
    }

    /// The record in the run directory, of any cycle and any boot; nil when there is none.
    package static func read(in runDirectory: RunDirectory) -> CycleRecord? {
        contents(in: runDirectory).flatMap { CycleRecord(parsing: $0) }
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
        failure = error
        // A record with a gap would leave hooks frozen; without a record the thaw calls every hook.
        remove()
    }

    /// Removes the record: the cycle has ended.
    func remove() {
        runDirectory.remove(Self.name)
    }
}
