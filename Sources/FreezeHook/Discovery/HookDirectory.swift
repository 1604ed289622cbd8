// SPDX-License-Identifier: Apache-2.0

import FreezeHookBase
import Glibc
import SystemPackage

/// One entry of the hook directory, with its disposition.
package struct DirectoryEntry: Equatable, Sendable {
    /// Whether an entry runs, and why not.
    package enum Disposition: Equatable, Sendable {
        case runs
        /// The entry is no hook.
        case skipped(SkipReason)
        /// The entry is a hook that someone else could have written; it counts as a failed one.
        case refused(Refusal)
    }

    /// The entry as a hook, whether it runs or not.
    package var hook: Hook
    /// Whether the entry runs, and why not.
    package var disposition: Disposition

    /// An entry with a known disposition.
    package init(hook: Hook, disposition: Disposition) {
        self.hook = hook
        self.disposition = disposition
    }
}

/// The executables of `fsfreeze-hook.d`.
package final class HookDirectory {
    /// The directory's path.
    package let path: FilePath
    private let settings: Settings
    private var trusted = TrustedPath()
    // The path to the directory is checked once, not for each hook.
    private lazy var faultOfDirectory = trusted.fault(of: path.appending("."))

    /// The directory at a path; the settings give each hook's limits.
    package init(path: FilePath, settings: Settings) {
        self.path = path
        self.settings = settings
    }

    /// The entries in byte order of their names, without the names that the stock script ignores.
    ///
    /// Throws the kernel's errno; a missing directory is `noSuchFileOrDirectory`.
    package func entries() throws(Errno) -> [DirectoryEntry] {
        let start = path.bytes + [UInt8(ascii: "/")]
        return try names().map { entry(at: FilePath(bytes: start + $0)) }
    }

    private func names() throws(Errno) -> [[UInt8]] {
        let names = try directoryNames(path).filter { !IgnoredNames.contains($0) }
        return names.sorted { $0.lexicographicallyPrecedes($1) }
    }

    /// The entry of the file at `path`, as the file is now.
    package func entry(at path: FilePath) -> DirectoryEntry {
        func result(_ disposition: DirectoryEntry.Disposition, header: HookHeader = HookHeader()) -> DirectoryEntry {
            DirectoryEntry(hook: Hook(path: path, header: header, settings: settings), disposition: disposition)
        }
        var link = stat()
        do throws(Errno) { try call { path.withPlatformString { lstat($0, &link) } } } catch {
            return result(.skipped(.unreadable(error)))
        }
        let isLink = link.st_mode & S_IFMT == S_IFLNK
        var target = link
        do throws(Errno) { if isLink { try call { path.withPlatformString { stat($0, &target) } } } } catch {
            return result(.skipped(error == .noSuchFileOrDirectory ? .danglingLink : .unreadable(error)))
        }
        if isLink && target.st_mode & S_IFMT == S_IFCHR && target.st_rdev == Self.nullDevice {
            return result(.skipped(.masked))
        }
        switch target.st_mode & S_IFMT {
        case S_IFREG: break
        case S_IFDIR: return result(.skipped(.directory))
        default: return result(.skipped(.notAFile))
        }
        if target.st_size == 0 { return result(.skipped(.empty)) }
        if target.st_mode & (S_IXUSR | S_IXGRP | S_IXOTH) == 0 {
            return result(.skipped(.notExecutable))
        }
        if let fault = Ownership.fault(of: target, at: path) { return result(.refused(Refusal(path, .hook(fault)))) }
        if target.st_mode & (S_ISUID | S_ISGID) != 0 { return result(.refused(Refusal(path, .setID))) }
        let isPlain = !isLink && path.parentBytes.dropLast() == self.path.bytes[...]
        if let refusal = isPlain ? faultOfDirectory : trusted.fault(of: path) { return result(.refused(refusal)) }
        return result(.runs, header: .read(from: path))
    }

    // makedev(1, 3) as the kernel fixes it for /dev/null.
    private static let nullDevice: dev_t = 1 << 8 | 3
}
