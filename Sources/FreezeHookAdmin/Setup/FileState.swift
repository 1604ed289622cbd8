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

    // No file of a set-up is setuid, setgid or sticky, whatever a file of an image or its manifest says.
    private static let permissions: mode_t = 0o777

    /// Whether a set-up can give a path this state: anything but `other`, and no bits beside those of permissions.
    var canBeMade: Bool {
        switch self {
        case .absent, .directory, .link: true
        case .file(_, let mode): mode & ~Self.permissions == 0
        case .other: false
        }
    }

    /// The present state of a path of a system.
    init(of path: FilePath, in tree: SystemTree) {
        var status = stat()
        let located: Descriptor
        do throws(Errno) { located = try tree.locate(path, follows: false) } catch {
            self = error == .noSuchFileOrDirectory || error == .notDirectory ? .absent : .other
            return
        }
        guard fstat(located.number, &status) == 0 else {
            self = .other
            return
        }
        switch status.st_mode & S_IFMT {
        case S_IFDIR: self = .directory
        case S_IFLNK:
            let target = linkTarget(of: [], in: located.number)
            self = target.map { .link(to: String(decoding: $0, as: UTF8.self)) } ?? .other
        case S_IFREG:
            let bytes = SystemTree.bytes(of: located)
            self = bytes.map { .file(bytes: $0, mode: status.st_mode & Self.permissions) } ?? .other
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
