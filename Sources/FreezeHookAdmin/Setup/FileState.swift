// SPDX-License-Identifier: Apache-2.0

import FreezeHookBase
import Glibc
import SystemPackage

/// The state of a path, before or after a set-up.
package enum FileState: Codable, Equatable, Sendable {
    case absent
    case directory
    case link(to: String)
    /// A file with its bytes and its permission bits.
    case file(bytes: [UInt8], mode: mode_t)
    /// Neither a file nor a directory nor a link, or unreadable; never changed.
    case other

    /// The present state of a path of a system.
    init(of path: FilePath, in tree: SystemTree) {
        var status = stat()
        let place = tree.place(of: path, follows: false)
        do throws(Errno) { try call { place.withPlatformString { lstat($0, &status) } } } catch {
            self = error == .noSuchFileOrDirectory || error == .notDirectory ? .absent : .other
            return
        }
        switch status.st_mode & S_IFMT {
        case S_IFDIR: self = .directory
        case S_IFLNK: self = tree.link(path).map { .link(to: $0.string) } ?? .other
        case S_IFREG: self = tree.bytes(of: path).map { .file(bytes: $0, mode: status.st_mode & 0o7777) } ?? .other
        default: self = .other
        }
    }

    /// The lines of a file, none of an absent one; nil for a directory, a link and others.
    var lines: [String]? {
        switch self {
        case .absent: return []
        case .file(let bytes, _):
            var lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
            if lines.last?.isEmpty == true { lines.removeLast() }
            return lines.map { SafeText.clean($0) }
        case .directory, .link, .other: return nil
        }
    }

    /// The text behind the path of what has no lines: `/`, or a link's target.
    var words: String {
        switch self {
        case .absent, .file: ""
        case .directory: "/"
        case .link(let target): " -> \(SafeText.clean(target.utf8))"
        case .other: " (neither a file nor a directory)"
        }
    }
}
