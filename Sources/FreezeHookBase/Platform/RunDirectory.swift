// SPDX-License-Identifier: Apache-2.0

import CLinux
import Glibc
import SystemPackage

/// Why the run directory cannot be used.
package struct RunDirectoryError: Error, CustomStringConvertible {
    /// The path of the directory.
    package var path: FilePath
    /// The kernel's errno in words, or who could have written the directory.
    package var reason: String

    package var description: String {
        "the run directory \(SafeText.clean(path)) cannot be used: \(reason)"
    }
}

/// The directory of the live state, on a tmpfs: the only place that is written during the window.
package final class RunDirectory {
    /// The path, as the caller gave it.
    package let path: FilePath
    /// Whether this process has made the directory.
    package let isNew: Bool
    private let file: Descriptor

    private static let name = "fsfreeze-hook"

    /// Opens the directory, and makes it (0700) when it is not there.
    package convenience init(path: FilePath) throws(RunDirectoryError) {
        var isNew = true
        do throws(Errno) { try call { path.withPlatformString { mkdir($0, 0o700) } } } catch {
            if error != .fileExists { throw RunDirectoryError(path: path, reason: "\(error)") }
            isNew = false
        }
        try self.init(opening: path, isNew: isNew)
    }

    /// The directory when it is there and can be used; none is made.
    package static func existing(_ path: FilePath) -> RunDirectory? {
        try? RunDirectory(opening: path, isNew: false)
    }

    private init(opening path: FilePath, isNew: Bool) throws(RunDirectoryError) {
        self.path = path
        self.isNew = isNew
        do throws(Errno) { file = try Descriptor(opening: path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW) } catch {
            throw RunDirectoryError(path: path, reason: "\(error)")
        }
        var status = stat()
        if fstat(file.number, &status) == 0, let fault = Ownership.fault(of: status, descriptor: file.number) {
            throw RunDirectoryError(path: path, reason: "it \(fault)")
        }
        // Whoever can open the directory can lock it (flock(2)), and no freeze would begin. One of another name, as /run,
        // may be others' too.
        if status.st_mode & 0o077 != 0, path.nameBytes.elementsEqual(Self.name.utf8) { fchmod(file.number, 0o700) }
    }

    /// The open directory.
    package var descriptor: Int32 { file.number }

    /// The outcome of waiting for the lock.
    package enum Lock: Equatable {
        case free
        /// Another run had the lock, and has ended.
        case waited
        /// Another run still has the lock.
        case busy
        /// The kernel gives no lock, as for want of memory (ENOLCK).
        case unavailable(Errno)
    }

    /// Whether this process has the lock.
    package private(set) var hasLock = false
    /// Why the kernel has given no lock; nil when it has not refused.
    package private(set) var lockError: Errno?

    /// Takes the lock, with which one run at a time works on the applications; the lock ends with this process.
    ///
    /// flock(2) of the directory itself needs no room on a full filesystem.
    package func lock(within limit: Duration) -> Lock {
        let lock = takeLock(within: limit)
        hasLock = lock == .free || lock == .waited
        if case .unavailable(let error) = lock { lockError = error }
        return lock
    }

    private func takeLock(within limit: Duration) -> Lock {
        if flock(descriptor, LOCK_EX | LOCK_NB) == 0 { return .free }
        let end = MonotonicTime.now() + limit
        clinux_alarm_after(Int(max(1, limit.nanoseconds / 1_000_000)))
        defer { clinux_alarm_after(0) }
        while flock(descriptor, LOCK_EX) != 0 {
            // The alarm interrupts the call; any other error would stay.
            let error = Errno(rawValue: errno)
            if error != .interrupted { return .unavailable(error) }
            if .now() >= end { return .busy }
        }
        return .waited
    }

    /// The bytes of a file in the directory, limited as by `readAll`; nil when it cannot be read.
    package func read(_ name: String, limit: Int) -> [UInt8]? {
        // A second time: a thaw that takes a passing want of descriptors or memory for a missing record would thaw
        // hooks that no freeze has called.
        for _ in 0..<2 {
            do throws(Errno) { return try contents(of: name, limit: limit) } catch .noSuchFileOrDirectory {
                return nil
            } catch {}
        }
        return nil
    }

    private func contents(of name: String, limit: Int) throws(Errno) -> [UInt8] {
        var status = stat()
        try call { fstatat(descriptor, name, &status, AT_SYMLINK_NOFOLLOW) }
        // Before it is opened: a FIFO of an image would wait for a writer, a device could do anything.
        guard status.st_mode & S_IFMT == S_IFREG else { throw .noSuchFileOrDirectory }
        let file = try Descriptor(opening: name, in: descriptor, O_RDONLY | O_NOFOLLOW | O_NONBLOCK)
        return try readAll(file.number, limit: limit)
    }

    /// Whether the directory has been removed since it was opened.
    package var isRemoved: Bool {
        var status = stat()
        return fstat(descriptor, &status) == 0 && status.st_nlink == 0
    }

    /// Whether a file of this name is in the directory.
    package func has(_ name: String) -> Bool { faccessat(descriptor, name, F_OK, 0) == 0 }

    /// Removes a file in the directory, if there is one; a removal that fails is tried once more.
    package func remove(_ name: String) {
        if unlinkat(descriptor, name, 0) != 0 && errno != ENOENT { unlinkat(descriptor, name, 0) }
    }

    /// The names of the files in the directory; none when it cannot be read.
    package func names() -> [String] {
        ((try? directoryNames(descriptor)) ?? []).map { String(decoding: $0, as: UTF8.self) }
    }

    /// Does `work` while no other process works under the same name; nil when another one does for the whole time.
    @discardableResult
    package func withLock<Result>(
        named name: String, within limit: Duration = LocalSocket.patience, _ work: () -> Result
    ) -> Result? {
        var isTaken = false
        let file = takeLockFile(name, until: .now() + limit, isTaken: &isTaken)
        if isTaken { return nil }
        // Without a file, as on a full filesystem, the work is worth more than the lock.
        defer { if file.number != nil { remove(name) } }
        // The lock goes with the descriptor, which nothing else needs meanwhile.
        return withExtendedLifetime(file, work)
    }

    /// The open file whose lock this process has; nil when none can be made, and when another process has the lock until
    /// the deadline, with `isTaken` set.
    private func takeLockFile(_ name: String, until deadline: MonotonicTime, isTaken: inout Bool) -> Descriptor? {
        let flags = O_RDWR | O_CREAT | O_NOFOLLOW
        var interval = Self.shortestInterval
        while true {
            guard let file = try? Descriptor(opening: name, in: descriptor, flags, mode: 0o600) else { return nil }
            if flock(file.number, LOCK_EX | LOCK_NB) != 0 {
                guard errno == EWOULDBLOCK else { return nil }
                isTaken = .now() >= deadline
                if isTaken { return nil }
                usleep(interval)
                interval = min(2 * interval, Self.longestInterval)
                continue
            }
            var (own, current) = (stat(), stat())
            fstat(file.number, &own)
            // The owner before may have removed the file: the lock counts only for the file that has the name now.
            if fstatat(descriptor, name, &current, AT_SYMLINK_NOFOLLOW) == 0 && current.st_ino == own.st_ino {
                return file
            }
        }
    }

    // The work under such a lock takes far less than a millisecond, unless it waits in the kernel.
    private static let shortestInterval: useconds_t = 1_000
    private static let longestInterval: useconds_t = 64_000

    /// Releases the lock before this process ends.
    package func unlock() {
        hasLock = false
        flock(descriptor, LOCK_UN)
    }

    /// Whether some run has the lock now.
    package var isLocked: Bool {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { return false }
        // The kernel's table (proc(5)), not a trial flock(2), which would turn away a freeze that comes meanwhile.
        let device = UInt64(status.st_dev)
        let place = "\(clinux_major(device).hexadecimal):\(clinux_minor(device).hexadecimal):\(status.st_ino)"
        let lines = String(decoding: readKernelFile("/proc/locks") ?? [], as: UTF8.self).split(separator: "\n")
        return lines.contains { line in
            let words = line.split(separator: " ")
            // The line of a run that waits for the lock has "->" before FLOCK.
            return words.count > 5 && words[1] == "FLOCK" && words[5] == place
        }
    }
}
