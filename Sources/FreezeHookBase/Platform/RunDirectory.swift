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
    private let file: Descriptor

    /// Opens the directory, and makes it (0700) when it is not there.
    package convenience init(path: FilePath) throws(RunDirectoryError) {
        do throws(Errno) { try call { path.withPlatformString { mkdir($0, 0o700) } } } catch {
            if error != .fileExists { throw RunDirectoryError(path: path, reason: "\(error)") }
        }
        try self.init(opening: path)
    }

    /// The directory when it is there and can be used; none is made.
    package static func existing(_ path: FilePath) -> RunDirectory? {
        try? RunDirectory(opening: path)
    }

    private init(opening path: FilePath) throws(RunDirectoryError) {
        self.path = path
        do throws(Errno) { file = try Descriptor(opening: path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW) } catch {
            throw RunDirectoryError(path: path, reason: "\(error)")
        }
        var status = stat()
        if fstat(file.number, &status) == 0, let fault = Ownership.fault(of: status, descriptor: file.number) {
            throw RunDirectoryError(path: path, reason: "it \(fault)")
        }
    }

    /// The open directory.
    package var descriptor: Int32 { file.number }

    /// The outcome of waiting for the lock.
    package enum Lock {
        case free
        /// Another run had the lock, and has ended.
        case waited
        /// Another run still has the lock.
        case busy
    }

    /// Takes the lock, with which one run at a time works on the applications; the lock ends with this process.
    ///
    /// flock(2) of the directory itself needs no room on a full filesystem.
    package func lock(within limit: Duration) -> Lock {
        if flock(descriptor, LOCK_EX | LOCK_NB) == 0 { return .free }
        clinux_alarm_after(Int(max(1, limit.nanoseconds / 1_000_000)))
        defer { clinux_alarm_after(0) }
        return flock(descriptor, LOCK_EX) == 0 ? .waited : .busy
    }

    /// The bytes of a file in the directory, limited as by `readAll`; nil when it cannot be read.
    package func read(_ name: String, limit: Int) -> [UInt8]? {
        var status = stat()
        // Before it is opened: a FIFO of an image would wait for a writer, a device could do anything.
        guard fstatat(descriptor, name, &status, AT_SYMLINK_NOFOLLOW) == 0, status.st_mode & S_IFMT == S_IFREG else {
            return nil
        }
        let flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK
        guard let file = try? Descriptor(opening: name, in: descriptor, flags) else { return nil }
        return try? readAll(file.number, limit: limit)
    }

    /// Removes a file in the directory, if there is one.
    package func remove(_ name: String) {
        unlinkat(descriptor, name, 0)
    }

    /// The names of the files in the directory; none when it cannot be read.
    package func names() -> [String] {
        ((try? directoryNames(descriptor)) ?? []).map { String(decoding: $0, as: UTF8.self) }
    }

    /// Does `work` while no other process works under the same name. For moments only: the wait has no time limit.
    package func withLock<Result>(named name: String, _ work: () -> Result) -> Result {
        let file = takeLockFile(name)
        defer { if file.number != nil { remove(name) } }
        // The lock goes with the descriptor, which nothing else needs meanwhile.
        return withExtendedLifetime(file, work)
    }

    /// The open file whose lock this process has; nil when the file cannot be made.
    private func takeLockFile(_ name: String) -> Descriptor? {
        let flags = O_RDWR | O_CREAT | O_NOFOLLOW
        while true {
            guard let file = try? Descriptor(opening: name, in: descriptor, flags, mode: 0o600) else { return nil }
            _ = try? call { flock(file.number, LOCK_EX) }
            var (own, current) = (stat(), stat())
            fstat(file.number, &own)
            // The owner before may have removed the file: the lock counts only for the file that has the name now.
            if fstatat(descriptor, name, &current, AT_SYMLINK_NOFOLLOW) == 0 && current.st_ino == own.st_ino {
                return file
            }
        }
    }

    /// Releases the lock before this process ends.
    package func unlock() {
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
