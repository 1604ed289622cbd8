import Glibc

/// Who could have written a file or a directory.
package enum Ownership {
    /// Why what `status` describes cannot be trusted, or nil when only root, or the user that runs the program, could
    /// have written it.
    package static func fault(of status: stat) -> String? {
        if status.st_uid != 0 && status.st_uid != geteuid() { return "belongs to user \(status.st_uid)" }
        if status.st_mode & S_IWOTH != 0 { return "is writable by others" }
        if status.st_mode & S_IWGRP != 0 && status.st_gid != 0 { return "is writable by group \(status.st_gid)" }
        return nil
    }
}
