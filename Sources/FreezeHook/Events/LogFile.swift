// SPDX-License-Identifier: Apache-2.0

import FreezeHookBase
import Glibc
import SystemPackage

/// Why the log cannot be used.
package struct LogError: Error, CustomStringConvertible {
    /// The log's path.
    package var path: FilePath
    /// The problem, or the kernel's errno, in words.
    package var reason: String

    package var description: String { "the log \(SafeText.clean(path)) cannot be used: \(reason)" }
}

/// The log file, one line an event.
package final class LogFile {
    private let file: Descriptor
    private let path: FilePath
    /// Why a line could not be written; nil as long as all were.
    package private(set) var failure: LogError?

    /// Opens the log for appending, and makes it (0640) when it is not there; a missing directory is never made.
    package init(path: FilePath) throws(LogError) {
        self.path = path
        // O_NOFOLLOW: root must not write where a link in a careless directory leads. O_NONBLOCK: a FIFO without a
        // reader must not hold up the freeze.
        let flags = O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK
        do throws(Errno) { file = try Descriptor(opening: path, flags, mode: 0o640) } catch {
            throw LogError(path: path, reason: error == .tooManySymbolicLinkLevels ? "it is a link" : "\(error)")
        }
        var status = stat()
        guard fstat(file.number, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            throw LogError(path: path, reason: "it is not a regular file")
        }
        if let fault = Self.fault(of: status, descriptor: file.number) { throw LogError(path: path, reason: fault) }
    }

    /// Why nobody can rely on the lines of the open log of `status`; nil when only root reads or writes it unseen.
    package static func fault(of status: stat, descriptor: Int32) -> String? {
        if let fault = Ownership.fault(of: status, descriptor: descriptor) { return "it \(fault)" }
        // The directory of the other name may belong to somebody else, who then sees, moves or links what root writes.
        return status.st_nlink == 1 ? nil : "it has another name as well (a hard link)"
    }

    /// Appends the events in their order, until one cannot be written.
    package func write(_ events: [Event]) {
        guard failure == nil else { return }
        // Not joined(): the runtime looks its conformances up, which takes longer than the rest of a line.
        var text = ""
        for event in events { text += "\(event.time.rfc3339): \(event.text)\n" }
        do throws(Errno) { try writeAll(file.number, Array(text.utf8)) } catch {
            failure = LogError(path: path, reason: "\(error)")
        }
    }
}
