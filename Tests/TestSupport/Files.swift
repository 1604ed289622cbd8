// SPDX-License-Identifier: Apache-2.0

import Glibc

/// Files by their raw bytes: names and contents need not be UTF-8.
package enum Files {
    /// Writes a file and sets its mode whatever the umask is.
    package static func write(_ bytes: some Sequence<UInt8>, to path: some Sequence<UInt8>, mode: mode_t = 0o644) throws
    {
        let bytes = Array(bytes)
        let path = path.map { CChar(bitPattern: $0) } + [0]
        let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw failure("open", path) }
        defer { close(descriptor) }
        guard Glibc.write(descriptor, bytes, bytes.count) == bytes.count, fchmod(descriptor, mode) == 0 else {
            throw failure("write", path)
        }
    }

    /// Writes a text.
    package static func write(_ text: String, to path: String, mode: mode_t = 0o644) throws {
        try write(text.utf8, to: path.utf8, mode: mode)
    }

    /// Makes a directory of this mode, whatever the umask is.
    package static func makeDirectory(_ path: String, mode: mode_t = 0o755) throws {
        guard mkdir(path, mode) == 0, chmod(path, mode) == 0 else { throw failure("mkdir", path) }
    }

    /// Puts a symbolic link at the path.
    package static func link(_ path: String, to target: String) throws {
        guard symlink(target, path) == 0 else { throw failure("symlink", path) }
    }

    /// The bytes of a file; nil when there is none.
    package static func bytes(of path: String) -> [UInt8]? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var contents: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = read(descriptor, &buffer, buffer.count)
            if count <= 0 { return contents }
            contents += buffer[..<count]
        }
    }

    /// The text of a file; empty when there is none.
    package static func text(of path: String) -> String {
        String(decoding: bytes(of: path) ?? [], as: UTF8.self)
    }

    /// The names in a directory, sorted.
    package static func names(in path: String) throws -> [String] {
        guard let directory = opendir(path) else {
            throw failure("opendir", path)
        }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { Array($0.prefix { $0 != 0 }) }
            names.append(String(decoding: name, as: UTF8.self))
        }
        return names.filter { $0 != "." && $0 != ".." }.sorted()
    }

    /// The sizes of all files in a directory together.
    package static func totalSize(in path: String) throws -> Int {
        try names(in: path).reduce(0) { total, name in
            var status = stat()
            return lstat("\(path)/\(name)", &status) == 0 ? total + Int(status.st_size) : total
        }
    }

    /// Whether the path exists, also as a dangling link.
    package static func exists(_ path: String) -> Bool {
        var status = stat()
        return lstat(path, &status) == 0
    }

    /// The type and permission bits of a path, links not followed.
    package static func mode(of path: String) -> mode_t? {
        var status = stat()
        return lstat(path, &status) == 0 ? status.st_mode : nil
    }

    private static func failure(_ call: String, _ path: [CChar]) -> TestFailure {
        let reason = errno
        let bytes = path.dropLast().map { UInt8(bitPattern: $0) }
        return failure(call, String(decoding: bytes, as: UTF8.self), reason)
    }

    private static func failure(_ call: String, _ path: String, _ reason: Int32 = errno) -> TestFailure {
        TestFailure("\(call) \(path): \(String(cString: strerror(reason)))")
    }
}
