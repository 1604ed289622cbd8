import Glibc
import SystemPackage

/// The textfile that node_exporter reads, in a directory that need not be root's alone.
struct MetricsFile {
    let path: FilePath

    /// Puts the text in its place as a whole, readable by everybody. Throws what the kernel said.
    func replace(with text: String) throws(Errno) {
        // In the same directory, so that a rename is enough; node_exporter reads names that end in ".prom" alone.
        let new = FilePath(bytes: path.bytes + Array(".new".utf8))
        // What a killed run has left; and nobody who may write there leads us elsewhere by a link of this name.
        _ = new.withPlatformString { unlink($0) }
        let descriptor = new.withPlatformString {
            open($0, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o644)
        }
        guard descriptor >= 0 else { throw Errno(rawValue: errno) }
        defer { close(descriptor) }
        do throws(Errno) {
            let bytes = Array(text.utf8)
            // withUnsafeBytes rethrows untyped: the result carries the error out.
            let written = bytes.withUnsafeBytes { bytes in
                Result { () throws(Errno) in try writeAll(descriptor, bytes) }
            }
            try written.get()
            let renamed = new.withPlatformString { from in path.withPlatformString { rename(from, $0) } }
            guard renamed == 0 else { throw Errno(rawValue: errno) }
        } catch {
            _ = new.withPlatformString { unlink($0) }
            throw error
        }
    }
}
