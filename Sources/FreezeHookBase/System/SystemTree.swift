import Glibc
import SystemPackage

/// The files of a system: those of this machine, or those below a directory that holds another one.
package struct SystemTree: Equatable, Sendable {
    /// The directory that is `/` to that system.
    package let root: FilePath

    /// The machine that this process runs on.
    package static let machine = SystemTree(root: "/")

    // The kernel's own limit (ELOOP).
    private static let linkLimit = 40
    // Far more than any file has that is read whole here; what never ends must not hold anybody up.
    private static let sizeLimit = 16 << 20

    /// The files below a directory.
    package init(root: FilePath) {
        self.root = absolute(root).lexicallyNormalized()
    }

    /// Whether these are the files of the machine that this process runs on.
    package var isMachine: Bool { root == "/" }

    /// Where this process finds a path of that system. Links on the way lead where they would lead there.
    ///
    /// - Parameter follows: whether the last component is followed, too.
    package func place(of path: FilePath, follows: Bool = true) -> FilePath {
        // The kernel itself also knows the way through the links of /proc.
        isMachine ? path : beneath(resolved(path, follows: follows))
    }

    /// The path without links, as that system knows it. What does not exist stays as it is.
    package func resolved(_ path: FilePath, follows: Bool = true) -> FilePath {
        // Bytes, not components: a check asks for hundreds of paths.
        let slash = UInt8(ascii: "/")
        var done: [[UInt8]] = []
        var waiting = Array(path.bytes.split(separator: slash).map(Array.init).reversed())
        var links = 0
        while let name = waiting.popLast() {
            if name == Array(".".utf8) { continue }
            if name == Array("..".utf8) {
                _ = done.popLast()
                continue
            }
            let next = FilePath(bytes: (done + [name]).flatMap { [slash] + $0 })
            if follows || !waiting.isEmpty, links < Self.linkLimit, let target = beneath(next).linkTarget {
                links += 1
                if target.isAbsolute { done = [] }
                waiting += target.bytes.split(separator: slash).map(Array.init).reversed()
            } else {
                done.append(name)
            }
        }
        return done.isEmpty ? "/" : FilePath(bytes: done.flatMap { [slash] + $0 })
    }

    /// The bytes of a file; nil when it cannot be read.
    package func bytes(of path: FilePath) -> [UInt8]? {
        // O_NONBLOCK: opening a FIFO must not wait for a writer.
        let descriptor = place(of: path).withPlatformString { open($0, O_RDONLY | O_CLOEXEC | O_NONBLOCK) }
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        return readAll(descriptor, limit: Self.sizeLimit)
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
        guard let directory = place(of: path).withPlatformString({ opendir($0) }) else { return [] }
        defer { closedir(directory) }
        var names: [String] = []
        while let item = readdir(directory) {
            let name = withUnsafeBytes(of: &item.pointee.d_name) {
                String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name != "." && name != ".." { names.append(name) }
        }
        return names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }

    /// What is at the path, links followed; nil when there is nothing.
    package func status(of path: FilePath) -> stat? {
        var status = stat()
        return place(of: path).withPlatformString { stat($0, &status) } == 0 ? status : nil
    }

    /// Whether something is at the path, links followed.
    package func has(_ path: FilePath) -> Bool { status(of: path) != nil }

    /// Whether a directory is at the path.
    package func hasDirectory(_ path: FilePath) -> Bool {
        status(of: path).map { $0.st_mode & S_IFMT == S_IFDIR } ?? false
    }

    /// What the link at the path says; nil when it is none.
    package func link(_ path: FilePath) -> FilePath? { place(of: path, follows: false).linkTarget }

    private func beneath(_ path: FilePath) -> FilePath { isMachine ? path : FilePath(bytes: root.bytes + path.bytes) }
}
