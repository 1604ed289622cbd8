// SPDX-License-Identifier: Apache-2.0

import CLinux
import Glibc
import SystemPackage

extension FilePath {
    /// The bytes of the last component: a hook's name.
    // Bytes, not components: FilePath's generic algebra is costly where a whole start takes 3 ms.
    package var nameBytes: [UInt8] {
        let bytes = bytes
        return bytes.lastIndex(of: UInt8(ascii: "/")).map { Array(bytes[($0 + 1)...]) } ?? bytes
    }

    /// The bytes before the last component, the slash included.
    package var parentBytes: [UInt8] {
        let bytes = bytes
        return bytes.lastIndex(of: UInt8(ascii: "/")).map { Array(bytes[...$0]) } ?? []
    }

    /// The last component as text, cleaned.
    package var name: String { SafeText.clean(nameBytes) }

    /// The path of the entry of this directory that has a name of any bytes.
    package func entry(named name: [UInt8]) -> FilePath { FilePath(bytes: bytes + [UInt8(ascii: "/")] + name) }

    /// The path's bytes, without a NUL.
    package var bytes: [UInt8] {
        withPlatformString { pointer in
            var bytes: [UInt8] = []
            var next = pointer
            while next.pointee != 0 {
                bytes.append(UInt8(bitPattern: next.pointee))
                next += 1
            }
            return bytes
        }
    }

    /// A path of any bytes up to the first NUL.
    // Inlinable: a generic function of another module is called through the runtime otherwise.
    @inlinable
    package init(bytes: some Sequence<UInt8>) {
        let characters = bytes.map { CChar(bitPattern: $0) } + [0]
        self.init(platformString: characters)
    }

    /// The target of the symbolic link; nil when the path is no link, or cannot be read.
    package var linkTarget: FilePath? { FreezeHookBase.linkTarget(of: bytes).map { FilePath(bytes: $0) } }

    /// The number of links that the kernel follows in one path (path_resolution(7), ELOOP).
    package static let linkLimit = 40
}

/// The target of the symbolic link at a path; nil when the path is no link, or cannot be read.
// Bytes for callers that look at each component: a FilePath for each costs more than all the rest of their work.
///
/// - Parameter directory: the directory that a relative path begins in; with an empty path the link itself (O_PATH).
package func linkTarget(of path: [UInt8], in directory: Int32 = clinux_current_directory()) -> [UInt8]? {
    let path = path.map { CChar(bitPattern: $0) } + [0]
    return withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(PATH_MAX)) { buffer in
        guard let start = buffer.baseAddress else { return nil }
        let count = readlinkat(directory, path, start, buffer.count)
        return count > 0 ? buffer[..<count].map { UInt8(bitPattern: $0) } : nil
    }
}

/// The path made absolute by the working directory; unchanged when getcwd(3) fails.
package func absolute(_ path: FilePath) -> FilePath {
    if path.isAbsolute { return path }
    guard let current = getcwd(nil, 0) else { return path }
    defer { free(current) }
    return FilePath(platformString: current).pushing(path)
}
