// SPDX-License-Identifier: Apache-2.0

import Glibc

/// POSIX access control lists, without the tools of the package acl.
package enum AccessLists {
    /// Lets another user read, write and execute a file or directory, as `setfacl -m user:NUMBER:rwx` does.
    package static func letWrite(_ user: uid_t, _ path: String) throws {
        try set(path, named: (tag: 0x02, permissions: 7, id: user), mask: 7)
    }

    /// Lets another group read, write and execute a file or directory, as `setfacl -m group:NUMBER:rwx` does.
    package static func letWrite(group: gid_t, _ path: String) throws {
        try set(path, named: (tag: 0x08, permissions: 7, id: group), mask: 7)
    }

    /// Names another user who may write, in a list whose mask takes the right away again.
    package static func letWriteBehindMask(_ user: uid_t, _ path: String) throws {
        try set(path, named: (tag: 0x02, permissions: 7, id: user), mask: 5)
    }

    private typealias Entry = (tag: UInt16, permissions: UInt16, id: UInt32)
    private typealias SetAttribute =
        @convention(c) (UnsafePointer<CChar>, UnsafePointer<CChar>, UnsafeRawPointer, Int, Int32) -> Int32

    private static func set(_ path: String, named: Entry, mask: UInt16) throws {
        // linux/posix_acl_xattr.h: version 2, then the entries in the order of their tags, in little-endian.
        let none = UInt32.max
        var entries: [Entry] = [(0x01, 7, none), named, (0x04, 5, none), (0x10, mask, none), (0x20, 5, none)]
        entries.sort { $0.tag < $1.tag }
        var list: [UInt8] = [2, 0, 0, 0]
        for entry in entries {
            for value in [entry.tag, entry.permissions] { list += [UInt8(value & 0xff), UInt8(value >> 8)] }
            list += (0..<4).map { UInt8(entry.id >> ($0 * 8) & 0xff) }
        }
        // The Glibc module has no sys/xattr.h.
        guard let symbol = dlsym(nil, "setxattr") else { throw TestFailure("there is no setxattr") }
        let setAttribute = unsafeBitCast(symbol, to: SetAttribute.self)
        guard setAttribute(path, "system.posix_acl_access", list, list.count, 0) == 0 else {
            throw TestFailure("setxattr \(path): \(String(cString: strerror(errno)))")
        }
    }
}
