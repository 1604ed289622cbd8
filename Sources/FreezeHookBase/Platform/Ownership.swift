// SPDX-License-Identifier: Apache-2.0

import Glibc

/// The users who could have written a file or a directory.
package enum Ownership {
    /// Why a file or a directory cannot be trusted.
    package enum Fault: Equatable, Sendable, CustomStringConvertible {
        case owner(uid_t)
        case writableByOthers
        case writableByGroup(gid_t)

        /// The predicate of a sentence about the file or directory.
        package var description: String {
            switch self {
            case .owner(let user): "belongs to user \(user)"
            case .writableByOthers: "is writable by others"
            case .writableByGroup(let group): "is writable by group \(group)"
            }
        }
    }

    /// Why the file or directory of `status` cannot be trusted; nil when only root, or the user that runs the program,
    /// could have written it.
    package static func fault(of status: stat) -> Fault? {
        if status.st_uid != 0 && status.st_uid != geteuid() { return .owner(status.st_uid) }
        if status.st_mode & S_IWOTH != 0 { return .writableByOthers }
        if status.st_mode & S_IWGRP != 0 && status.st_gid != 0 { return .writableByGroup(status.st_gid) }
        return nil
    }
}
