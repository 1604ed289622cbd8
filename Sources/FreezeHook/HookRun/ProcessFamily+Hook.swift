// SPDX-License-Identifier: Apache-2.0

import FreezeHookBase
import Glibc

extension ProcessFamily {
    /// The processes that one run of a hook has started: those of its own process, and those that left it and came to this
    /// process, which is the subreaper of all.
    ///
    /// - Parameters:
    ///   - main: the hook's own process.
    ///   - marker: the entry of the environment that tells this hook's orphans from those of hooks before it.
    init(ofHook main: pid_t, marker: [UInt8]) {
        // Not yet reaped, so it can be read even when it has already ended.
        let leader = ProcessIdentity(of: main)
        self.init(leader: leader) { process in
            // What an earlier hook left running may fork while this one runs, and its orphans come here as well.
            guard process.parent == getpid(), process.startTime >= leader.startTime else { return false }
            guard let environment = ProcessTable.environment(of: process.pid) else { return true }
            let marked = environment.filter { $0.starts(with: HookEnvironment.hookKey.utf8) }
            return marked.isEmpty || marked.contains(marker)
        }
    }
}
