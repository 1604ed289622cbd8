// SPDX-License-Identifier: Apache-2.0

import CLinux
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

    /// How a path of another system is looked up.
    package enum Lookup: Sendable {
        /// By the kernel, with the system's directory as its root; by components where the kernel cannot (before 5.6).
        case kernel
        /// Component by component.
        case components
    }

    /// What is at a path (O_PATH), wherever that system's links lead: never out of it. Throws the kernel's errno.
    ///
    /// - Parameter follows: whether the last component is followed, too.
    package func locate(
        _ path: FilePath, follows: Bool = true, by lookup: Lookup = .kernel
    ) throws(Errno) -> Descriptor {
        if isMachine {
            let current = clinux_current_directory()
            let number = try call { path.withPlatformString { clinux_open_path(current, $0, follows ? 1 : 0) } }
            return Descriptor(owning: number)
        }
        if lookup == .kernel {
            let root = try Descriptor(opening: root, O_RDONLY | O_DIRECTORY)
            do throws(Errno) {
                let number = try call {
                    path.withPlatformString { clinux_open_path_in_root(root.number, $0, follows ? 1 : 0) }
                }
                return Descriptor(owning: number)
            } catch {
                // EPERM: a filter of system calls that does not know this one. EAGAIN: renames without an end.
                guard [.noFunction, .notPermitted, .resourceTemporarilyUnavailable].contains(error) else { throw error }
            }
        }
        let walk = try RootedWalk(root: root)
        try walk.go(path, follows: follows)
        return walk.takeEnd()
    }

    /// A regular file or a directory, open for reading. Throws the kernel's errno, and `notSupported` for any other file
    /// of another system: opening a device there could do anything, and a FIFO waits.
    package func open(_ path: FilePath) throws(Errno) -> Descriptor {
        if isMachine { return try Descriptor(opening: path, O_RDONLY | O_NONBLOCK) }
        return try Self.reopen(try locate(path))
    }

    /// What was located, open for reading; `notSupported` when it is neither a regular file nor a directory.
    package static func reopen(_ located: borrowing Descriptor) throws(Errno) -> Descriptor {
        var status = stat()
        try call { fstat(located.number, &status) }
        guard [S_IFREG, S_IFDIR].contains(status.st_mode & S_IFMT) else { throw .notSupported }
        return try Descriptor(opening: FilePath("/proc/self/fd/\(located.number)"), O_RDONLY | O_NONBLOCK)
    }

    /// The path by which this process reaches a path of that system; links lead where that system would follow them.
    /// Throws the kernel's errno for a path that leads nowhere; components that do not exist stay as they are.
    ///
    /// - Parameter follows: whether the last component is followed, too.
    package func place(of path: FilePath, follows: Bool = true) throws(Errno) -> FilePath {
        // The kernel also follows the magic links of /proc (proc(5)).
        isMachine ? path : FilePath(bytes: root.bytes + (try walked(path, follows: follows)).bytes)
    }

    private func walked(_ path: FilePath, follows: Bool) throws(Errno) -> FilePath {
        let walk = try RootedWalk(root: root)
        do throws(Errno) { try walk.go(path, follows: follows) } catch {
            if error != .noSuchFileOrDirectory { throw error }
        }
        return walk.resolved
    }

    /// The path without links, as that system knows it. Components that do not exist stay as they are, and so does a path
    /// that leads nowhere.
    package func resolved(_ path: FilePath) -> FilePath {
        if !isMachine { return (try? walked(path, follows: true)) ?? path }
        // Bytes, not components, which are costly: a check asks for hundreds of paths.
        let slash = UInt8(ascii: "/")
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
            if links < FilePath.linkLimit, let target = linkTarget(of: next) {
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
    package func bytes(of path: FilePath) -> [UInt8]? { bytes(of: path, limit: Self.sizeLimit) }

    /// The bytes of a file, limited as by `readAll`; nil when it cannot be read.
    package func bytes(of path: FilePath, limit: Int) -> [UInt8]? {
        guard let file = try? open(path) else { return nil }
        return try? readAll(file.number, limit: limit)
    }

    /// The bytes of a file that was located; nil when it cannot be read.
    package static func bytes(of located: borrowing Descriptor) -> [UInt8]? {
        guard let file = try? reopen(located) else { return nil }
        return try? readAll(file.number, limit: sizeLimit)
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
        guard let directory = try? open(path) else { return [] }
        let names = (try? directoryNames(directory.number)) ?? []
        return names.sorted { $0.lexicographicallyPrecedes($1) }.map { String(decoding: $0, as: UTF8.self) }
    }

    /// The status of the file at the path (stat(2)), links followed; nil when there is none.
    package func status(of path: FilePath) -> stat? {
        var status = stat()
        if isMachine { return path.withPlatformString { stat($0, &status) } == 0 ? status : nil }
        guard let located = try? locate(path) else { return nil }
        return fstat(located.number, &status) == 0 ? status : nil
    }

    /// Whether a file of any kind is at the path, links followed.
    package func has(_ path: FilePath) -> Bool { status(of: path) != nil }

    /// Whether a directory is at the path.
    package func hasDirectory(_ path: FilePath) -> Bool {
        status(of: path).map { $0.st_mode & S_IFMT == S_IFDIR } ?? false
    }

    /// Whether a regular file is at the path, links followed.
    package func hasFile(_ path: FilePath) -> Bool {
        status(of: path).map { $0.st_mode & S_IFMT == S_IFREG } ?? false
    }

    /// The target of the link at the path; nil when there is no link.
    package func link(_ path: FilePath) -> FilePath? {
        if isMachine { return path.linkTarget }
        guard let located = try? locate(path, follows: false) else { return nil }
        return linkTarget(of: [], in: located.number).map { FilePath(bytes: $0) }
    }
}
