// SPDX-License-Identifier: Apache-2.0

import CLinux
import Glibc
import SystemPackage

/// The bytes of a descriptor until its end, or until `limit` is reached or passed by less than 4 KiB. Throws the
/// kernel's errno.
package func readAll(_ descriptor: Int32, limit: Int) throws(Errno) -> [UInt8] {
    var contents: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 4096)
    while contents.count < limit {
        let count = try call { read(descriptor, &buffer, buffer.count) }
        if count == 0 { break }
        contents += buffer[..<count]
    }
    return contents
}

/// The bytes of a file, limited as by `readAll`. Throws the kernel's errno.
///
/// - Parameter flags: flags of open(2) beside O_RDONLY and O_NONBLOCK.
package func readFile(_ path: FilePath, limit: Int, flags: Int32 = 0) throws(Errno) -> [UInt8] {
    // O_NONBLOCK: opening a FIFO must not wait for a writer.
    let file = try Descriptor(opening: path, O_RDONLY | O_NONBLOCK | flags)
    return try readAll(file.number, limit: limit)
}

/// The bytes of a file that the kernel makes, such as one below `/proc`; nil when it cannot be read.
package func readKernelFile(_ path: String, limit: Int = 1 << 20) -> [UInt8]? {
    try? readFile(FilePath(path), limit: limit)
}

/// The value behind a key on a line of its own, as in `/proc/PID/status` (proc(5)), without blanks at its ends; nil without
/// such a line.
package func kernelValue(_ key: String, in text: [UInt8]) -> String? {
    let line = text.split(separator: UInt8(ascii: "\n")).first { $0.starts(with: key.utf8) }
    return line.map { String(decoding: trimmed($0.dropFirst(key.utf8.count)), as: UTF8.self) }
}

/// The bytes of standard input; none when it is a terminal.
package func readStandardInput() -> [UInt8] {
    // The statements of a backup script are a few lines.
    isatty(0) == 1 ? [] : (try? readAll(0, limit: 16 << 20)) ?? []
}

/// Writes all of the bytes. Throws the errno of the first write that failed.
package func writeAll(_ descriptor: Int32, _ bytes: UnsafeRawBufferPointer) throws(Errno) {
    var rest = bytes
    while !rest.isEmpty {
        let count = try call { write(descriptor, rest.baseAddress, rest.count) }
        guard count > 0 else { throw .noSpace }
        rest = UnsafeRawBufferPointer(rebasing: rest[count...])
    }
}

/// Writes all of the bytes. Throws the errno of the first write that failed.
package func writeAll(_ descriptor: Int32, _ bytes: [UInt8]) throws(Errno) {
    // withUnsafeBytes rethrows untyped: the result carries the error out.
    let result = bytes.withUnsafeBytes { bytes in Result { () throws(Errno) in try writeAll(descriptor, bytes) } }
    try result.get()
}

/// Waits until a descriptor can be read or its other end has gone; false when the moment comes first.
package func waitUntilReadable(_ descriptor: Int32, until moment: MonotonicTime) -> Bool {
    var waiting = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
    return poll(&waiting, 1, (moment - .now()).pollMilliseconds) > 0
}

/// Replaces a file as a whole; `mode` holds whatever the umask is. Throws the kernel's errno, and the old file stays.
///
/// - Parameters:
///   - directory: the directory that a relative path begins in.
///   - suffix: the end of the new file's name until it is renamed.
///   - synced: whether the new file is on the disk before the rename.
package func replaceFile(
    at path: FilePath, in directory: Int32 = clinux_current_directory(), by suffix: String, with bytes: [UInt8],
    mode: mode_t, synced: Bool = false
) throws(Errno) {
    // In the same directory: rename(2) does not cross filesystems.
    let new = FilePath(bytes: path.bytes + Array(suffix.utf8))
    // A killed run may have left the file, and another user who may write there a link of this name.
    _ = new.withPlatformString { unlinkat(directory, $0, 0) }
    let flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC
    let file = Descriptor(owning: try call { new.withPlatformString { openat(directory, $0, flags, 0o600) } })
    do throws(Errno) {
        try writeAll(file.number, bytes)
        try call { fchmod(file.number, mode) }
        if synced { try call { fsync(file.number) } }
        try call {
            new.withPlatformString { from in path.withPlatformString { renameat(directory, from, directory, $0) } }
        }
    } catch {
        _ = new.withPlatformString { unlinkat(directory, $0, 0) }
        throw error
    }
}
