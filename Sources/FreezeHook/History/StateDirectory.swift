// SPDX-License-Identifier: Apache-2.0

import FreezeHookBase
import Glibc
import SystemPackage

/// The directory of the files that outlive a boot: history, counters and image marker. Writes come before the
/// filesystems are frozen and after they are thawed, never between.
package struct StateDirectory {
    private let path: FilePath
    private static let sizeLimit = 256 << 20

    /// The directory at a path; the first write makes it (0700).
    package init(path: FilePath) {
        self.path = path
    }

    /// The bytes of a file; nil when there is none or it cannot be read, also a second time.
    package func read(_ name: String) -> [UInt8]? {
        do throws(Errno) { return try contents(of: name) } catch { return (try? contents(of: name)) ?? nil }
    }

    /// The bytes of a file; nil when there is none. Throws the kernel's errno, and `notPermitted` for anything but a
    /// regular file that root alone could have written.
    func contents(of name: String) throws(Errno) -> [UInt8]? {
        do throws(Errno) {
            var status = stat()
            // Before it is opened: a device of an image could do anything.
            try call { file(name).withPlatformString { lstat($0, &status) } }
            guard status.st_mode & S_IFMT == S_IFREG else { throw .notPermitted }
            let opened = try Descriptor(opening: file(name), O_RDONLY | O_NOFOLLOW | O_NONBLOCK)
            try call { fstat(opened.number, &status) }
            if Ownership.fault(of: status, descriptor: opened.number) != nil { throw .notPermitted }
            return try readAll(opened.number, limit: Self.sizeLimit)
        } catch {
            if error == .noSuchFileOrDirectory { return nil }
            throw error
        }
    }

    /// Replaces a file as a whole. Throws the kernel's errno.
    ///
    /// - Parameter spare: a file that is overwritten and renamed: its blocks let a write succeed on a full disk too.
    package func replace(_ name: String, with bytes: [UInt8], reusing spare: String? = nil) throws(Errno) {
        let new = spare ?? "\(name).new"
        try write(bytes, to: new, flags: 0)
        try call { file(new).withPlatformString { truncate($0, off_t(bytes.count)) } }
        try rename(new, to: name)
    }

    /// Appends to a file. Throws the kernel's errno.
    func append(_ bytes: [UInt8], to name: String) throws(Errno) {
        try write(bytes, to: name, flags: O_APPEND)
    }

    /// Removes a file, if it is there.
    package func remove(_ name: String) {
        _ = file(name).withPlatformString { unlink($0) }
    }

    /// Gives a file another name. Throws the kernel's errno.
    func rename(_ name: String, to newName: String) throws(Errno) {
        try call {
            file(name).withPlatformString { from in file(newName).withPlatformString { Glibc.rename(from, $0) } }
        }
    }

    private func file(_ name: String) -> FilePath { path.appending(name) }

    // No fsync: before the freeze FIFREEZE itself brings everything to the disk, and a sync would lengthen the window.
    private func write(_ bytes: [UInt8], to name: String, flags: Int32) throws(Errno) {
        _ = path.withPlatformString { mkdir($0, 0o700) }
        let flags = O_WRONLY | O_CREAT | O_NOFOLLOW | O_NONBLOCK | flags
        let file = try Descriptor(opening: file(name), flags, mode: 0o600)
        try writeAll(file.number, bytes)
    }
}
