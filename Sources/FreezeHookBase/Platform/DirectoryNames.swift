// SPDX-License-Identifier: Apache-2.0

import Glibc
import SystemPackage

/// The names in a directory, in the kernel's order, without `.` and `..`. Throws the kernel's errno.
package func directoryNames(_ path: FilePath) throws(Errno) -> [[UInt8]] {
    try names(in: Descriptor(opening: path, O_RDONLY | O_DIRECTORY | O_NONBLOCK))
}

/// The names in an open directory, in the kernel's order, without `.` and `..`. Throws the kernel's errno.
package func directoryNames(_ directory: Int32) throws(Errno) -> [[UInt8]] {
    // A new open file: closedir(3) closes its descriptor, and a duplicate would share the given one's read position.
    try names(in: Descriptor(opening: ".", in: directory, O_RDONLY | O_DIRECTORY))
}

private func names(in directory: consuming Descriptor) throws(Errno) -> [[UInt8]] {
    guard let stream = fdopendir(directory.number) else { throw Errno(rawValue: errno) }
    // The stream owns the descriptor from now on.
    _ = directory.release()
    defer { closedir(stream) }
    var names: [[UInt8]] = []
    while true {
        // readdir(3) returns nil at the end and on an error: only errno differs.
        errno = 0
        guard let item = readdir(stream) else { break }
        let name = withUnsafeBytes(of: &item.pointee.d_name) { Array($0.prefix { $0 != 0 }) }
        if !name.elementsEqual(".".utf8) && !name.elementsEqual("..".utf8) { names.append(name) }
    }
    let error = Errno(rawValue: errno)
    if error.rawValue != 0 { throw error }
    return names
}
