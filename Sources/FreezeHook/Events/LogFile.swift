import FreezeHookBase
import Glibc
import SystemPackage

/// Why the log cannot be used.
package struct LogError: Error, CustomStringConvertible {
    /// The log.
    package var path: FilePath
    /// What is wrong with it, or what the kernel said.
    package var reason: String

    package var description: String { "the log \(SafeText.clean(path)) cannot be used: \(reason)" }
}

/// The log file, one line an event.
package final class LogFile: EventSink {
    private let descriptor: Int32
    private let path: FilePath
    /// Why a line could not be written, told once; nil as long as all could.
    package private(set) var failure: LogError?

    /// Opens the log for appending, and makes it (0640) when it is not there; its directory is never made.
    package init(path: FilePath) throws(LogError) {
        self.path = path
        // O_NOFOLLOW: root must not write where a link in a careless directory leads. O_NONBLOCK: a FIFO without a
        // reader must not hold up the freeze.
        descriptor = path.withPlatformString {
            open($0, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK, 0o640)
        }
        guard descriptor >= 0 else {
            let reason = errno == ELOOP ? "it is a link" : "\(Errno(rawValue: errno))"
            throw LogError(path: path, reason: reason)
        }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            // deinit closes it: all properties are set.
            throw LogError(path: path, reason: "it is not a regular file")
        }
    }

    deinit { close(descriptor) }

    package func write(_ events: [Event]) {
        guard failure == nil else { return }
        var text = events.map { "\($0.time.rfc3339): \($0.text)\n" }.joined()
        text.withUTF8 { bytes in
            do { try writeAll(descriptor, UnsafeRawBufferPointer(bytes)) } catch {
                failure = LogError(path: path, reason: "\(error)")
            }
        }
    }
}
