// SPDX-License-Identifier: Apache-2.0

import FreezeHookBase
import Glibc

extension ProcessFamily {
    /// The processes of one run of a hook. Those of a freeze are its session and descendants, and orphans, which become
    /// children of this process, their subreaper. Those of a thaw are its session alone: a thaw hook that starts its
    /// application puts it into a session of the application's own (setsid(2)), as daemons do.
    ///
    /// - Parameters:
    ///   - main: the hook's own process.
    ///   - action: the action of the call.
    ///   - marker: the entry of the environment that distinguishes this hook's orphans from those of hooks before.
    init(ofHook main: pid_t, _ action: HookAction, marker: [UInt8]) {
        // Not yet reaped: /proc has the start time even when the hook has already ended.
        let leader = ProcessIdentity(of: main)
        if action == .thaw {
            self.init(sessionOf: leader)
            return
        }
        self.init(leader: leader) { process in
            // A process that an earlier hook left running may fork meanwhile, and its orphans come to this process too.
            guard process.parent == getpid(), process.startTime >= leader.startTime else { return false }
            guard let environment = ProcessTable.environment(of: process.pid) else { return true }
            let marked = environment.filter { $0.starts(with: HookEnvironment.hookKey.utf8) }
            return marked.isEmpty || marked.contains(marker)
        }
    }
}
