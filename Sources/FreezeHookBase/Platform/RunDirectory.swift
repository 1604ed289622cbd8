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
    /// The open directory, on which its files are opened and its lock is taken.
    package let descriptor: Int32

    /// Opens the directory, and makes it (0700) when it is not there.
    package convenience init(path: FilePath) throws(RunDirectoryError) {
        if path.withPlatformString({ mkdir($0, 0o700) }) != 0 && errno != EEXIST {
            throw RunDirectoryError(path: path, reason: "\(Errno(rawValue: errno))")
        }
        try self.init(opening: path)
    }

    /// The directory when it is there already; nothing is made.
    package static func existing(_ path: FilePath) -> RunDirectory? {
        try? RunDirectory(opening: path)
    }

    private init(opening path: FilePath) throws(RunDirectoryError) {
        self.path = path
        descriptor = path.withPlatformString { open($0, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC) }
        guard descriptor >= 0 else { throw RunDirectoryError(path: path, reason: "\(Errno(rawValue: errno))") }
        var status = stat()
        if fstat(descriptor, &status) == 0, let fault = Ownership.fault(of: status) {
            // deinit closes it: all properties are set.
            throw RunDirectoryError(path: path, reason: "it \(fault)")
        }
    }

    deinit { close(descriptor) }

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
        let file = openat(descriptor, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC)
        guard file >= 0 else { return nil }
        defer { close(file) }
        return readAll(file, limit: limit)
    }

    /// Removes one of its files, if it is there.
    package func remove(_ name: String) {
        unlinkat(descriptor, name, 0)
    }

    /// The names of its files.
    package func names() -> [String] {
        // A descriptor of its own: closedir closes it, and the position of ours is shared with everybody.
        let copy = openat(descriptor, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard copy >= 0, let directory = fdopendir(copy) else { return [] }
        defer { closedir(directory) }
        var names: [String] = []
        while let item = readdir(directory) {
            names.append(
                withUnsafeBytes(of: &item.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) })
        }
        return names
    }

    /// Does something while no other process does anything under the same name. For moments only: it has no time limit.
    package func withLock<Result>(named name: String, _ work: () -> Result) -> Result {
        let file = takeLockFile(name)
        defer {
            if file >= 0 {
                remove(name)
                close(file)
            }
        }
        return work()
    }

    /// The open file whose lock this process has; negative when there is no room for one.
    private func takeLockFile(_ name: String) -> Int32 {
        while true {
            let file = openat(descriptor, name, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0o600)
            if file < 0 { return file }
            while flock(file, LOCK_EX) != 0 && errno == EINTR {}
            var (own, current) = (stat(), stat())
            fstat(file, &own)
            // Who had the lock before has removed it: the file that is there now is another one.
            if fstatat(descriptor, name, &current, AT_SYMLINK_NOFOLLOW) == 0 && current.st_ino == own.st_ino {
                return file
            }
            close(file)
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
        let place = "\(hexadecimal(clinux_major(device))):\(hexadecimal(clinux_minor(device))):\(status.st_ino)"
        let lines = String(decoding: readKernelFile("/proc/locks") ?? [], as: UTF8.self).split(separator: "\n")
        return lines.contains { line in
            let words = line.split(separator: " ")
            // A run that waits for the lock has "->" before its kind.
            return words.count > 5 && words[1] == "FLOCK" && words[5] == place
        }
    }

    private func hexadecimal(_ number: UInt32) -> String {
        let digits = String(number, radix: 16)
        return digits.count < 2 ? "0\(digits)" : digits
    }
}
