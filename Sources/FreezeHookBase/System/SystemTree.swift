// SPDX-License-Identifier: Apache-2.0

import Glibc
import SystemPackage

/// The files of a system: of this machine, or of another one that a directory holds.
package struct SystemTree: Equatable, Sendable {
    /// The directory that is `/` to that system.
    package let root: FilePath

    /// The machine that this process runs on.
    package static let machine = SystemTree(root: "/")

    // Far above the size of any file that is read here; an endless file must not block.
    private static let sizeLimit = 16 << 20

    /// The files below a directory.
    package init(root: FilePath) {
        self.root = absolute(root).lexicallyNormalized()
    }

    /// Whether these are the files of the machine that this process runs on.
    package var isMachine: Bool { root == "/" }

    /// The path by which this process reaches a path of that system; links lead where that system would follow them.
    ///
    /// - Parameter follows: whether the last component is followed, too.
    package func place(of path: FilePath, follows: Bool = true) -> FilePath {
        // The kernel also follows the magic links of /proc (proc(5)).
        isMachine ? path : beneath(resolved(path, follows: follows))
    }

    /// The path without links, as that system knows it. Components that do not exist stay as they are.
    package func resolved(_ path: FilePath, follows: Bool = true) -> FilePath {
        // Bytes, not components, which are costly: a check asks for hundreds of paths.
        let slash = UInt8(ascii: "/")
        let prefix = isMachine ? [] : root.bytes
        var done: [UInt8] = []
        var waiting = Array(path.bytes.split(separator: slash).reversed())
        var links = 0
        while let name = waiting.popLast() {
            if name == [UInt8(ascii: ".")] { continue }
            if name == [UInt8(ascii: "."), UInt8(ascii: ".")] {
                done = Array(done[..<(done.lastIndex(of: slash) ?? 0)])
                continue
            }
            let next = done + [slash] + name
            if follows || !waiting.isEmpty, links < FilePath.linkLimit, let target = linkTarget(of: prefix + next) {
                links += 1
                if target.first == slash { done = [] }
                waiting += target.split(separator: slash).reversed()
            } else {
                done = next
            }
        }
        return done.isEmpty ? "/" : FilePath(bytes: done)
    }

    /// The bytes of a file; nil when it cannot be read.
    package func bytes(of path: FilePath) -> [UInt8]? {
        try? readFile(place(of: path), limit: Self.sizeLimit)
    }

    /// The text of a file; nil when it cannot be read.
    package func text(of path: FilePath) -> String? {
        bytes(of: path).map { String(decoding: $0, as: UTF8.self) }
    }

    /// The text of a file of one line, without its end.
    package func line(of path: FilePath) -> String? {
        text(of: path).map { String($0.prefix { $0 != "\n" && $0 != "\r\n" }) }
    }

    /// The names in a directory in byte order; none when it cannot be read.
    package func names(in path: FilePath) -> [String] {
        let names = (try? directoryNames(place(of: path))) ?? []
        return names.sorted { $0.lexicographicallyPrecedes($1) }.map { String(decoding: $0, as: UTF8.self) }
    }

    /// The status of the file at the path (stat(2)), links followed; nil when there is none.
    package func status(of path: FilePath) -> stat? {
        var status = stat()
        return place(of: path).withPlatformString { stat($0, &status) } == 0 ? status : nil
    }

    /// Whether a file of any kind is at the path, links followed.
    package func has(_ path: FilePath) -> Bool { status(of: path) != nil }

    /// Whether a directory is at the path.
    package func hasDirectory(_ path: FilePath) -> Bool {
        status(of: path).map { $0.st_mode & S_IFMT == S_IFDIR } ?? false
    }

    /// The target of the link at the path; nil when there is no link.
    package func link(_ path: FilePath) -> FilePath? { place(of: path, follows: false).linkTarget }

    private func beneath(_ path: FilePath) -> FilePath { isMachine ? path : FilePath(bytes: root.bytes + path.bytes) }
}
