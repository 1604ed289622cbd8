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

    package var hook: Hook
    package var disposition: Disposition

    package init(hook: Hook, disposition: Disposition) {
        self.hook = hook
        self.disposition = disposition
    }
}

/// The executables of `fsfreeze-hook.d`.
package final class HookDirectory {
    package let path: FilePath
    private let settings: Settings
    private var trusted = TrustedPath()
    // The way to the directory is walked once, not for each of its hooks.
    private lazy var faultOfDirectory = trusted.fault(of: path.appending("."))

    package init(path: FilePath, settings: Settings) {
        self.path = path
        self.settings = settings
    }

    /// The entries in byte order of their names, without those that the stock script ignores too.
    ///
    /// Throws what the kernel said; a missing directory is `noSuchFileOrDirectory`.
    package func entries() throws(Errno) -> [DirectoryEntry] {
        let start = path.bytes + [UInt8(ascii: "/")]
        return try names().map { entry(at: FilePath(bytes: start + $0)) }
    }

    private func names() throws(Errno) -> [[UInt8]] {
        let names = try directoryNames(path).filter { !IgnoredNames.contains($0) }
        return names.sorted { $0.lexicographicallyPrecedes($1) }
    }

    /// What becomes of the file at `path`, looked at afresh.
    package func entry(at path: FilePath) -> DirectoryEntry {
        func result(_ disposition: DirectoryEntry.Disposition, header: HookHeader = HookHeader()) -> DirectoryEntry {
            DirectoryEntry(hook: Hook(path: path, header: header, settings: settings), disposition: disposition)
        }
        var link = stat()
        do throws(Errno) { try call { path.withPlatformString { lstat($0, &link) } } } catch {
            return result(.skipped("\(error)"))
        }
        let isLink = link.st_mode & S_IFMT == S_IFLNK
        var target = link
        do throws(Errno) { if isLink { try call { path.withPlatformString { stat($0, &target) } } } } catch {
            return result(.skipped(error == .noSuchFileOrDirectory ? "dangling link" : "\(error)"))
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
