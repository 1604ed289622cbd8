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
        /// The entry is a hook that must not run, as someone else could have written it or the kernel does not show it;
        /// it counts as a failed one.
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

    func names() throws(Errno) -> [[UInt8]] {
        let names = try directoryNames(path).filter { !IgnoredNames.contains($0) }
        return names.sorted { $0.lexicographicallyPrecedes($1) }
    }

    /// The entry of the file at `path`, as the file is now.
    ///
    /// - Parameter isFrozen: whether the hook has been frozen. Its thaw asks neither for the configuration's `run` nor for
    ///   a header that can be read.
    package func entry(at path: FilePath, isFrozen: Bool = false) -> DirectoryEntry {
        entry(at: path, leadingTo: nil, isFrozen: isFrozen)
    }

    /// The entry at `path`. In another system it is a link that leads to `target`; nil where this system follows links.
    func entry(at path: FilePath, leadingTo target: FilePath?, isFrozen: Bool = false) -> DirectoryEntry {
        let bare = Hook(path: path, header: HookHeader(), settings: settings)
        func result(_ disposition: DirectoryEntry.Disposition) -> DirectoryEntry {
            DirectoryEntry(hook: bare, disposition: disposition)
        }
        if settings.hook(named: path.name).run == false, !isFrozen { return result(.skipped(.leftOut)) }
        let place = target ?? path
        let (status, isLink): (stat, Bool)
        switch Self.look(at: place, isLink: target != nil) {
        case .file(let found, let link): (status, isLink) = (found, link)
        case .noHook(.danglingLink) where bare.isRequired: return result(.refused(Refusal(path, .danglingLink)))
        case .noHook(let reason): return result(.skipped(reason))
        case .hidden(let error): return result(.refused(Refusal(place, .unreadable(error))))
        }
        if let fault = Ownership.fault(of: status, at: place) { return result(.refused(Refusal(place, .hook(fault)))) }
        if status.st_mode & (S_ISUID | S_ISGID) != 0 { return result(.refused(Refusal(place, .setID))) }
        let isPlain = !isLink && path.parentBytes.dropLast() == self.path.bytes[...]
        if let refusal = isPlain ? faultOfDirectory : trusted.fault(of: place) { return result(.refused(refusal)) }
        do throws(Errno) {
            let hook = Hook(path: path, header: try HookHeader.read(from: place), settings: settings)
            return DirectoryEntry(hook: hook, disposition: .runs)
        } catch {
            // The header holds the guarantee: without it the verdict would take the hook for one that promises everything.
            return result(isFrozen ? .runs : .refused(Refusal(place, .unreadable(error))))
        }
    }

    /// Whether an executable lies at the path, or something that the kernel does not show.
    static func mayHoldHook(_ path: FilePath) -> Bool {
        if case .noHook = look(at: path) { false } else { true }
    }

    /// What lies at a path, before anybody asks who could have written it.
    private enum Sight {
        /// An executable file, or a link to one.
        case file(stat, isLink: Bool)
        case noHook(SkipReason)
        /// The kernel does not show it.
        case hidden(Errno)
    }

    /// - Parameter isLink: whether a link in another system leads to the path.
    private static func look(at path: FilePath, isLink leadsHere: Bool = false) -> Sight {
        var link = stat()
        do throws(Errno) { try call { path.withPlatformString { lstat($0, &link) } } } catch {
            if error != .noSuchFileOrDirectory { return .hidden(error) }
            return .noHook(leadsHere ? .danglingLink : .gone)
        }
        let isLink = leadsHere || link.st_mode & S_IFMT == S_IFLNK
        var target = link
        do throws(Errno) { if isLink { try call { path.withPlatformString { stat($0, &target) } } } } catch {
            return error == .noSuchFileOrDirectory ? .noHook(.danglingLink) : .hidden(error)
        }
        if isLink && target.st_mode & S_IFMT == S_IFCHR && target.st_rdev == nullDevice { return .noHook(.masked) }
        switch target.st_mode & S_IFMT {
        case S_IFREG: break
        case S_IFDIR: return .noHook(.directory)
        default: return .noHook(.notAFile)
        }
        if target.st_size == 0 { return .noHook(.empty) }
        if target.st_mode & (S_IXUSR | S_IXGRP | S_IXOTH) == 0 { return .noHook(.notExecutable) }
        return .file(target, isLink: isLink)
    }

    // makedev(1, 3) as the kernel fixes it for /dev/null.
    private static let nullDevice: dev_t = 1 << 8 | 3
}
