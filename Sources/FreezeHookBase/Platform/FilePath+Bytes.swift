// SPDX-License-Identifier: Apache-2.0

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
    package var linkTarget: FilePath? {
        var buffer = [CChar](repeating: 0, count: Int(PATH_MAX) + 1)
        let count = withPlatformString { readlink($0, &buffer, Int(PATH_MAX)) }
        return count > 0 ? FilePath(platformString: buffer) : nil
    }
}

/// The path made absolute by the working directory; unchanged when getcwd(3) fails.
package func absolute(_ path: FilePath) -> FilePath {
    if path.isAbsolute { return path }
    guard let current = getcwd(nil, 0) else { return path }
    defer { free(current) }
    return FilePath(platformString: current).pushing(path)
}
