import Glibc
import SystemPackage

/// Everything a descriptor gives until its end, or nil on an error; at most `limit` bytes.
package func readAll(_ descriptor: Int32, limit: Int) -> [UInt8]? {
    var contents: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 4096)
    while contents.count < limit {
        let count = read(descriptor, &buffer, buffer.count)
        if count < 0 {
            if errno == EINTR { continue }
            return nil
        }
        if count == 0 { break }
        contents += buffer[..<count]
    }
    return contents
}

/// The bytes of a file of the kernel's, such as those below `/proc`, or nil when it cannot be read.
func readKernelFile(_ path: String, limit: Int = 1 << 20) -> [UInt8]? {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    return readAll(descriptor, limit: limit)
}

/// Writes all of the bytes. Throws what the kernel said of the first that it did not take.
func writeAll(_ descriptor: Int32, _ bytes: UnsafeRawBufferPointer) throws(Errno) {
    var rest = bytes
    while !rest.isEmpty {
        let count = write(descriptor, rest.baseAddress, rest.count)
        if count < 0 && errno == EINTR { continue }
        guard count > 0 else { throw count < 0 ? Errno(rawValue: errno) : .noSpace }
        rest = UnsafeRawBufferPointer(rebasing: rest[count...])
    }
}

/// Waits until a descriptor can be read, or its other end is gone; false when neither has come by the moment.
func waitUntilReadable(_ descriptor: Int32, until moment: MonotonicTime) -> Bool {
    var waiting = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
    return poll(&waiting, 1, (moment - .now()).pollMilliseconds) > 0
}
