// SPDX-License-Identifier: Apache-2.0

import FreezeHookBase
import Glibc
import SystemPackage

/// Why a hook could not be started, with the status that a shell would show.
struct HookStartError: Error {
    /// 127 when there is nothing to execute, 126 when it cannot be executed.
    var status: Int32
    var reason: String
    /// Whether the cause may pass by itself: a lack of processes, memory or descriptors.
    var isPassing: Bool

    /// Explains the errno of execve(2) for the file at `path`.
    init(_ error: Errno, path: FilePath) {
        status = error == .noSuchFileOrDirectory ? 127 : 126
        reason = "\(error)"
        isPassing = Self.passing.contains(error)
        guard error == .noSuchFileOrDirectory else { return }
        guard let interpreter = Self.interpreter(of: path) else {
            reason = "it is no longer there"
            return
        }
        if interpreter.last == UInt8(ascii: "\r") {
            reason = "its first line ends in a carriage return: convert it with sed -i 's/\\r$//'"
        } else {
            reason = "its interpreter \(SafeText.clean(interpreter)) is missing"
        }
    }

    // ETXTBSY: somebody still writes the file. EIO: a disk that comes back.
    private static let passing: Set<Errno> = [
        .resourceTemporarilyUnavailable, .noMemory, .tooManyOpenFiles, .tooManyOpenFilesInSystem, .textFileBusy,
        .ioError, .interrupted, .resourceBusy, .noSpace,
    ]

    /// The text behind the `#!` of a script; empty for another file, nil when there is no file.
    private static func interpreter(of path: FilePath) -> [UInt8]? {
        guard let file = try? Descriptor(opening: path, O_RDONLY | O_NONBLOCK) else { return nil }
        // The kernel reads no more of a script than this (BINPRM_BUF_SIZE).
        let line = ((try? readAll(file.number, limit: 256)) ?? []).prefix { $0 != UInt8(ascii: "\n") }
        guard line.starts(with: "#!".utf8) else { return [] }
        return Array(line.dropFirst(2).drop { $0 == UInt8(ascii: " ") })
    }
}
