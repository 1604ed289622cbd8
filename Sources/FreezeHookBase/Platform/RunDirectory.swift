// SPDX-License-Identifier: Apache-2.0

import CLinux
import Glibc
import SystemPackage

/// Why the run directory cannot be used.
package struct RunDirectoryError: Error, CustomStringConvertible {
    /// The directory.
    package var path: FilePath
    /// What is wrong with it: what the kernel said, or whose it is.
    package var reason: String

    package var description: String {
        "the run directory \(SafeText.clean(path)) cannot be used: \(reason)"
    }
}

/// The directory of the live state, on a tmpfs: the only place that is written during the window.
package final class RunDirectory {
    /// Its path, as it was given.
    package let path: FilePath
    private let file: Descriptor

    /// Opens the directory, and makes it (0700) when it is not there.
    package convenience init(path: FilePath) throws(RunDirectoryError) {
        do throws(Errno) { try call { path.withPlatformString { mkdir($0, 0o700) } } } catch {
            if error != .fileExists { throw RunDirectoryError(path: path, reason: "\(error)") }
        }
        try self.init(opening: path)
    }

    /// The directory when it is there already; nothing is made.
    package static func existing(_ path: FilePath) -> RunDirectory? {
        try? RunDirectory(opening: path)
    }

    private init(opening path: FilePath) throws(RunDirectoryError) {
        self.path = path
        do throws(Errno) { file = try Descriptor(opening: path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW) } catch {
            throw RunDirectoryError(path: path, reason: "\(error)")
        }
        var status = stat()
        if fstat(file.number, &status) == 0, let fault = Ownership.fault(of: status) {
            throw RunDirectoryError(path: path, reason: "it \(fault)")
        }
    }

    /// The open directory.
    package var descriptor: Int32 { file.number }

    /// What came of waiting for the lock.
    package enum Lock {
        case free
        /// Another run had it, and has ended.
        case waited
        /// Another run still has it.
        case busy
    }

    /// Takes the lock that lets one run at a time work on the applications; it goes with this process.
    ///
    /// The directory itself is locked, which needs no room on a full filesystem.
    package func lock(within limit: Duration) -> Lock {
        if flock(descriptor, LOCK_EX | LOCK_NB) == 0 { return .free }
        clinux_alarm_after(Int(max(1, limit.nanoseconds / 1_000_000)))
        defer { clinux_alarm_after(0) }
        return flock(descriptor, LOCK_EX) == 0 ? .waited : .busy
    }

    /// The bytes of one of its files, at most `limit`, or nil when there is none.
    package func read(_ name: String, limit: Int) -> [UInt8]? {
        guard let file = try? Descriptor(opening: name, in: descriptor, O_RDONLY | O_NOFOLLOW) else { return nil }
        return try? readAll(file.number, limit: limit)
    }

    /// Removes one of its files, if it is there.
    package func remove(_ name: String) {
        unlinkat(descriptor, name, 0)
    }

    /// The names of its files.
    package func names() -> [String] {
        ((try? directoryNames(descriptor)) ?? []).map { String(decoding: $0, as: UTF8.self) }
    }

    /// Does something while no other process does anything under the same name. For moments only: it has no time limit.
    package func withLock<Result>(named name: String, _ work: () -> Result) -> Result {
        let file = takeLockFile(name)
        defer { if file.number != nil { remove(name) } }
        // The lock goes with the descriptor, which nothing else needs meanwhile.
        return withExtendedLifetime(file, work)
    }

    /// The open file whose lock this process has; nil when there is no room for one.
    private func takeLockFile(_ name: String) -> Descriptor? {
        let flags = O_RDWR | O_CREAT | O_NOFOLLOW
        while true {
            guard let file = try? Descriptor(opening: name, in: descriptor, flags, mode: 0o600) else { return nil }
            _ = try? call { flock(file.number, LOCK_EX) }
            var (own, current) = (stat(), stat())
            fstat(file.number, &own)
            // Who had the lock before has removed it: the file that is there now is another one.
            if fstatat(descriptor, name, &current, AT_SYMLINK_NOFOLLOW) == 0 && current.st_ino == own.st_ino {
                return file
            }
        }
    }

    /// Gives the lock back before this process ends.
    package func unlock() {
        flock(descriptor, LOCK_UN)
    }

    /// Whether some run has the lock now.
    package var isLocked: Bool {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { return false }
        // Asked of the kernel's table: one who took the lock to try it would for that moment turn a freeze away.
        let device = UInt64(status.st_dev)
        let place = "\(clinux_major(device).hexadecimal):\(clinux_minor(device).hexadecimal):\(status.st_ino)"
        let lines = String(decoding: readKernelFile("/proc/locks") ?? [], as: UTF8.self).split(separator: "\n")
        return lines.contains { line in
            let words = line.split(separator: " ")
            // A run that waits for the lock has "->" before its kind.
            return words.count > 5 && words[1] == "FLOCK" && words[5] == place
        }
    }
}
