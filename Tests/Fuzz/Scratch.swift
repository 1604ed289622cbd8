// SPDX-License-Identifier: Apache-2.0

import Glibc
import SystemPackage

@testable import FreezeHook
@testable import FreezeHookBase

/// The files of a run, in the current directory, which the script of the run makes and removes.
let scratch = Scratch()

struct Scratch: Sendable {
    /// The current directory: SystemTree takes absolute paths.
    private let path: FilePath = absolute(".")

    var tree: SystemTree { SystemTree(root: path) }
    var state: StateDirectory { StateDirectory(path: path.appending("state")) }
    var runDirectory: RunDirectory? { try? RunDirectory(path: path.appending("run")) }

    /// Removes a file below the scratch directory.
    func remove(_ name: String) { _ = path.appending(name).withPlatformString { unlink($0) } }

    /// Writes a file below the scratch directory, and makes the directories above it.
    func write(_ bytes: [UInt8], to name: String) -> Bool {
        var parent = path
        for component in name.split(separator: "/").dropLast() {
            parent.append(String(component))
            _ = parent.withPlatformString { mkdir($0, 0o700) }
        }
        let descriptor = path.appending(name).withPlatformString { open($0, O_WRONLY | O_CREAT | O_TRUNC, 0o600) }
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        return Glibc.write(descriptor, bytes, bytes.count) == bytes.count
    }
}
