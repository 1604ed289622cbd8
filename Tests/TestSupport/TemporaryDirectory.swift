// SPDX-License-Identifier: Apache-2.0

import Glibc

/// A new directory (0700) that is removed with everything in it when its owner lets it go.
package final class TemporaryDirectory: Sendable {
    package let path: String

    package init() throws {
        var template = Array("/tmp/fsfreeze-hook-test.XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else {
            throw TestFailure("mkdtemp: \(String(cString: strerror(errno)))")
        }
        path = template.withUnsafeBufferPointer { buffer in
            buffer.baseAddress.map { String(cString: $0) } ?? ""
        }
    }

    deinit { Self.remove(path) }

    /// Removes a file or a whole tree, whatever bytes the names in it hold; links are not followed.
    package static func remove(_ path: String) {
        remove(Array(path.utf8CString), in: AT_FDCWD)
    }

    private static func remove(_ name: [CChar], in parent: Int32) {
        if unlinkat(parent, name, 0) == 0 || errno == ENOENT { return }
        let descriptor = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
        guard descriptor >= 0 else { return }
        guard let directory = fdopendir(descriptor) else {
            close(descriptor)
            return
        }
        defer { closedir(directory) }
        while let entry = readdir(directory) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                bytes.prefix { $0 != 0 }.map { CChar(bitPattern: $0) } + [0]
            }
            if name != [0x2e, 0] && name != [0x2e, 0x2e, 0] { remove(name, in: descriptor) }
        }
        unlinkat(parent, name, AT_REMOVEDIR)
    }
}
