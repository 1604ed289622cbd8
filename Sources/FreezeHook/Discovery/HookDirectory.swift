import FreezeHookBase
import Glibc
import SystemPackage

/// One entry of the hook directory and what becomes of it.
package struct DirectoryEntry: Equatable, Sendable {
    /// What becomes of an entry.
    package enum Disposition: Equatable, Sendable {
        case runs
        /// Not a hook, for a reason that `list` shows.
        case skipped(String)
        /// Looks like a hook, but someone else could have written it: counts as a failed one.
        case refused(String)
    }

    /// The entry as a hook, whether it runs or not.
    package var hook: Hook
    /// What becomes of it.
    package var disposition: Disposition

    /// An entry of which is known what becomes of it.
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
    // The way to the directory is walked once, not for each of its hooks.
    private lazy var faultOfDirectory = trusted.fault(of: path.appending("."))

    /// The directory at a path; the settings say what is in force for each hook.
    package init(path: FilePath, settings: Settings) {
        self.path = path
        self.settings = settings
    }

    /// The entries in byte order of their names, without those that the stock script ignores too.
    ///
    /// Throws what `opendir` said; a missing directory is `noSuchFileOrDirectory`.
    package func entries() throws(Errno) -> [DirectoryEntry] {
        let start = path.bytes + [UInt8(ascii: "/")]
        return try names().map { entry(at: FilePath(bytes: start + $0)) }
    }

    private func names() throws(Errno) -> [[UInt8]] {
        guard let directory = path.withPlatformString({ opendir($0) }) else { throw Errno(rawValue: errno) }
        defer { closedir(directory) }
        var names: [[UInt8]] = []
        while let item = readdir(directory) {
            let name = withUnsafeBytes(of: &item.pointee.d_name) { Array($0.prefix { $0 != 0 }) }
            if !IgnoredNames.contains(name) { names.append(name) }
        }
        return names.sorted { $0.lexicographicallyPrecedes($1) }
    }

    /// What becomes of the file at `path`, looked at afresh.
    package func entry(at path: FilePath) -> DirectoryEntry {
        func result(_ disposition: DirectoryEntry.Disposition, header: HookHeader = HookHeader()) -> DirectoryEntry {
            DirectoryEntry(hook: Hook(path: path, header: header, settings: settings), disposition: disposition)
        }
        var link = stat()
        guard path.withPlatformString({ lstat($0, &link) }) == 0 else {
            return result(.skipped("\(Errno(rawValue: errno))"))
        }
        let isLink = link.st_mode & S_IFMT == S_IFLNK
        var target = link
        if isLink && path.withPlatformString({ stat($0, &target) }) != 0 {
            return result(.skipped(errno == ENOENT ? "dangling link" : "\(Errno(rawValue: errno))"))
        }
        if isLink && target.st_mode & S_IFMT == S_IFCHR && target.st_rdev == Self.nullDevice {
            return result(.skipped("masked by a link to /dev/null"))
        }
        switch target.st_mode & S_IFMT {
        case S_IFREG: break
        case S_IFDIR: return result(.skipped("directory"))
        default: return result(.skipped("neither a file nor a link to one"))
        }
        if target.st_size == 0 { return result(.skipped("masked: the file is empty")) }
        if target.st_mode & (S_IXUSR | S_IXGRP | S_IXOTH) == 0 {
            return result(.skipped("not executable: chmod +x to enable it"))
        }
        if let fault = Ownership.fault(of: target) { return result(.refused(fault)) }
        if target.st_mode & (S_ISUID | S_ISGID) != 0 { return result(.refused("is setuid or setgid")) }
        let isPlain = !isLink && path.parentBytes.dropLast() == self.path.bytes[...]
        if let fault = isPlain ? faultOfDirectory : trusted.fault(of: path) { return result(.refused(fault)) }
        return result(.runs, header: .read(from: path))
    }

    // makedev(1, 3) as the kernel fixes it for /dev/null.
    private static let nullDevice: dev_t = 1 << 8 | 3
}
