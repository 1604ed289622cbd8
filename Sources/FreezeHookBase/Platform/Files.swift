// SPDX-License-Identifier: Apache-2.0

import Glibc
import SystemPackage

/// Everything a descriptor gives until its end; it stops once it has `limit` bytes or a few more.
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

/// The bytes of a file, as readAll gives them. Throws what the kernel said.
///
/// - Parameter flags: of open(2), besides those to read.
package func readFile(_ path: FilePath, limit: Int, flags: Int32 = 0) throws(Errno) -> [UInt8] {
    // O_NONBLOCK: opening a FIFO must not wait for a writer.
    let file = try Descriptor(opening: path, O_RDONLY | O_NONBLOCK | flags)
    return try readAll(file.number, limit: limit)
}

/// The bytes of a file of the kernel's, such as those below `/proc`, or nil when it cannot be read.
package func readKernelFile(_ path: String, limit: Int = 1 << 20) -> [UInt8]? {
    try? readFile(FilePath(path), limit: limit)
}

/// Writes all of the bytes. Throws what the kernel said of the first that it did not take.
package func writeAll(_ descriptor: Int32, _ bytes: UnsafeRawBufferPointer) throws(Errno) {
    var rest = bytes
    while !rest.isEmpty {
        let count = try call { write(descriptor, rest.baseAddress, rest.count) }
        guard count > 0 else { throw .noSpace }
        rest = UnsafeRawBufferPointer(rebasing: rest[count...])
    }
}

/// Writes all of the bytes. Throws what the kernel said of the first that it did not take.
package func writeAll(_ descriptor: Int32, _ bytes: [UInt8]) throws(Errno) {
    // withUnsafeBytes rethrows untyped: the result carries the error out.
    let result = bytes.withUnsafeBytes { bytes in Result { () throws(Errno) in try writeAll(descriptor, bytes) } }
    try result.get()
}

/// Waits until a descriptor can be read, or its other end is gone; false when neither has come by the moment.
package func waitUntilReadable(_ descriptor: Int32, until moment: MonotonicTime) -> Bool {
    var waiting = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
    return poll(&waiting, 1, (moment - .now()).pollMilliseconds) > 0
}

/// Puts a file in its place as a whole, whatever the umask is. Throws what the kernel said; nothing is changed then.
///
/// - Parameters:
///   - suffix: of the new file's name, as long as it is not in its place.
///   - synced: whether it is on the disk before the old one goes.
package func replaceFile(
    at path: FilePath, by suffix: String, with bytes: [UInt8], mode: mode_t, synced: Bool = false
) throws(Errno) {
    // In the same directory, so that a rename is enough.
    let new = FilePath(bytes: path.bytes + Array(suffix.utf8))
    // What a killed run has left; and nobody who may write there leads us elsewhere by a link of this name.
    _ = new.withPlatformString { unlink($0) }
    let file = try Descriptor(opening: new, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode: 0o600)
    do throws(Errno) {
        try writeAll(file.number, bytes)
        try call { fchmod(file.number, mode) }
        if synced { try call { fsync(file.number) } }
        try call { new.withPlatformString { from in path.withPlatformString { rename(from, $0) } } }
    } catch {
        _ = new.withPlatformString { unlink($0) }
        throw error
    }
}
