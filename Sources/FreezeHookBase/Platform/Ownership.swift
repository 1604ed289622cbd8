// SPDX-License-Identifier: Apache-2.0

import Glibc
import SystemPackage

/// The users who could have written a file or a directory.
package enum Ownership {
    /// Why a file or a directory cannot be trusted.
    package enum Fault: Equatable, Sendable, CustomStringConvertible {
        case owner(uid_t)
        case writableByOthers
        case writableByGroup(gid_t)
        /// An access control list lets another user or group write (acl(5)).
        case writableByList
        /// Whom an access control list lets write cannot be known.
        case listUnreadable(Errno)

        /// The predicate of a sentence about the file or directory.
        package var description: String {
            switch self {
            case .owner(let user): "belongs to user \(user)"
            case .writableByOthers: "is writable by others"
            case .writableByGroup(let group): "is writable by group \(group)"
            case .writableByList: "is writable by others, by its access control list (getfacl)"
            case .listUnreadable(let reason): "has an access control list that cannot be read: \(reason)"
            }
        }
    }

    /// Why the open file or directory of `status` cannot be trusted; nil when only root, or the user that runs the
    /// program, could have written it.
    package static func fault(of status: stat, descriptor: Int32) -> Fault? {
        fault(of: status) { () throws(Errno) in try AccessList(of: descriptor) }
    }

    /// Why the file or directory of `status` at the path, links followed, cannot be trusted; nil when only root, or the
    /// user that runs the program, could have written it.
    package static func fault(of status: stat, at path: FilePath) -> Fault? {
        fault(of: status) { () throws(Errno) in try AccessList(at: path) }
    }

    private static func fault(of status: stat, list: () throws(Errno) -> AccessList?) -> Fault? {
        if status.st_uid != 0 && status.st_uid != geteuid() { return .owner(status.st_uid) }
        if status.st_mode & S_IWOTH != 0 { return .writableByOthers }
        // acl(5): the group's bits are the mask of a list, without whose write bit nobody named in it can write.
        if status.st_mode & S_IWGRP == 0 { return nil }
        do throws(Errno) {
            if let list = try list() { return list.letsOthersWrite(group: status.st_gid) ? .writableByList : nil }
        } catch {
            return .listUnreadable(error)
        }
        return status.st_gid == 0 ? nil : .writableByGroup(status.st_gid)
    }
}
