// SPDX-License-Identifier: Apache-2.0

import Glibc
import SystemPackage
import TestSupport

@testable import FreezeHook
@testable import FreezeHookAdmin
@testable import FreezeHookBase
@testable import FreezeHookRecipes

/// A program started as the library does it, in a session of its own; killed and waited for with its owner.
final class SpawnedProcess {
    let pid: pid_t
    private var isReaped = false

    init(_ path: FilePath, _ arguments: [String], environment: [[UInt8]] = []) throws {
        pid = try Spawn(path: path, arguments: arguments.map(bytes), environment: environment).start()
    }

    /// A shell that runs the script.
    convenience init(script: String) throws {
        let path = bytes("PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
        try self.init("/bin/sh", ["sh", "-c", script], environment: [path])
    }

    deinit {
        kill(-pid, SIGKILL)
        reap()
    }

    /// Waits for its end and takes its status.
    func reap() {
        if !isReaped { waitpid(pid, nil, 0) }
        isReaped = true
    }
}
