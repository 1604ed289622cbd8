// SPDX-License-Identifier: Apache-2.0

import CLinux
import Glibc
import SystemPackage

/// The POSIX access control list of a file (acl(5)).
struct AccessList {
    private struct Entry {
        var tag: UInt16
        var permissions: UInt16
        var id: UInt32
    }

    private let entries: [Entry]

    // linux/posix_acl.h and posix_acl_xattr.h: a version, then entries of tag, permissions and id, in little-endian.
    private static let (headSize, entrySize) = (4, 8)
    private static let (user, ownGroup, group): (UInt16, UInt16, UInt16) = (0x02, 0x04, 0x08)
    private static let write: UInt16 = 0x02
    // XATTR_SIZE_MAX of linux/limits.h.
    private static let sizeLimit = 1 << 16

    /// The list of the file at a path, links followed; nil without one. Throws the kernel's errno.
    init?(at path: FilePath) throws(Errno) {
        try self.init { bytes in
            path.withPlatformString { clinux_access_list($0, -1, bytes.baseAddress, bytes.count) }
        }
    }

    /// The list of an open file; nil without one. Throws the kernel's errno.
    init?(of descriptor: Int32) throws(Errno) {
        try self.init { clinux_access_list(nil, descriptor, $0.baseAddress, $0.count) }
    }

    private init?(reading read: (UnsafeMutableRawBufferPointer) -> Int) throws(Errno) {
        var bytes = [UInt8](repeating: 0, count: Self.sizeLimit)
        let count = bytes.withUnsafeMutableBytes(read)
        if count < 0 {
            // ENODATA: the file has no list. EOPNOTSUPP: its filesystem has none.
            let error = Errno(rawValue: errno)
            if error == .noData || error == .notSupported { return nil }
            throw error
        }
        self.init(parsing: bytes[..<count])
    }

    /// The list in the kernel's form; a torn entry is left out.
    init(parsing bytes: ArraySlice<UInt8>) {
        var entries: [Entry] = []
        var rest = bytes.dropFirst(Self.headSize)
        while rest.count >= Self.entrySize {
            let words = Array(rest.prefix(Self.entrySize)).map { UInt32($0) }
            entries.append(
                Entry(
                    tag: UInt16(words[0] | words[1] << 8), permissions: UInt16(words[2] | words[3] << 8),
                    id: words[4] | words[5] << 8 | words[6] << 16 | words[7] << 24))
            rest = rest.dropFirst(Self.entrySize)
        }
        self.entries = entries
    }

    /// Whether somebody else than root, or the user that runs the program, may write when the mask has the write bit;
    /// `group` is that of the file.
    func letsOthersWrite(group: gid_t) -> Bool {
        entries.contains { entry in
            guard entry.permissions & Self.write != 0 else { return false }
            return switch entry.tag {
            case Self.user: entry.id != 0 && entry.id != geteuid()
            case Self.group: entry.id != 0
            case Self.ownGroup: group != 0
            default: false
            }
        }
    }
}
