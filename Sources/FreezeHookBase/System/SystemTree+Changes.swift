// SPDX-License-Identifier: Apache-2.0

import Glibc
import SystemPackage

/// Changes of a system's files. The directory of the path is looked up as that system would, and stays open meanwhile;
/// the last component is never followed. All throw the kernel's errno.
extension SystemTree {
    /// Makes a directory of this mode, less the umask.
    package func makeDirectory(_ path: FilePath, mode: mode_t) throws(Errno) {
        try change(path) { mkdirat($0, $1, mode) }
    }

    /// Makes a link to a target of any words.
    package func makeLink(_ path: FilePath, to target: FilePath) throws(Errno) {
        try change(path) { directory, name in target.withPlatformString { symlinkat($0, directory, name) } }
    }

    /// Removes a file or a link.
    package func remove(_ path: FilePath) throws(Errno) {
        try change(path) { unlinkat($0, $1, 0) }
    }

    /// Removes an empty directory.
    package func removeDirectory(_ path: FilePath) throws(Errno) {
        try change(path) { unlinkat($0, $1, AT_REMOVEDIR) }
    }

    /// Replaces a file as a whole, as `replaceFile(at:)` does; the new one is on the disk before it has the name.
    package func replaceFile(_ path: FilePath, by suffix: String, with bytes: [UInt8], mode: mode_t) throws(Errno) {
        let name = try Self.name(of: path)
        let directory = try locate(FilePath(bytes: path.parentBytes))
        try FreezeHookBase.replaceFile(
            at: name, in: directory.number, by: suffix, with: bytes, mode: mode, synced: true)
    }

    private func change(_ path: FilePath, _ work: (Int32, UnsafePointer<CChar>) -> Int32) throws(Errno) {
        let name = try Self.name(of: path)
        let directory = try locate(FilePath(bytes: path.parentBytes))
        try call { name.withPlatformString { work(directory.number, $0) } }
    }

    /// The last component, which can be made or removed.
    private static func name(of path: FilePath) throws(Errno) -> FilePath {
        let name = path.nameBytes
        if [[], [UInt8(ascii: ".")], [UInt8(ascii: "."), UInt8(ascii: ".")]].contains(name) { throw .invalidArgument }
        return FilePath(bytes: name)
    }
}
