// SPDX-License-Identifier: Apache-2.0

import Glibc
import TestSupport
import Testing

@testable import FreezeHook
@testable import FreezeHookAdmin
@testable import FreezeHookBase
@testable import FreezeHookRecipes

/// The identity of a process, which its pid alone is not.
@Suite struct ProcessIdentityTests {
    @Test func `This process lives`() {
        let own = ProcessIdentity(of: getpid())
        #expect(own.isAlive)
        #expect(own.pid == getpid())
        #expect(own == ProcessIdentity(of: getpid()))
    }

    @Test func `A process of the same number with another start is a stranger`() {
        let own = ProcessIdentity(of: getpid())
        #expect(!ProcessIdentity(pid: own.pid, startTime: own.startTime + 1).isAlive)
        #expect(!ProcessIdentity(pid: own.pid, startTime: 0).isAlive)
    }

    @Test func `A process that is not there does not live`() {
        let none = ProcessIdentity(of: 4_194_305)
        #expect(none.startTime == 0)
        #expect(!none.isAlive)
    }

    @Test func `A process lives until it ends, a zombie does not`() throws {
        let child = try SpawnedProcess(script: "read x")
        let identity = ProcessIdentity(of: child.pid)
        #expect(eventually { Processes.state(of: child.pid) == "Z" })
        #expect(!identity.isAlive)
        // A zombie still has its identity.
        #expect(ProcessIdentity(of: child.pid) == identity)
        child.reap()
        #expect(!identity.isAlive)
        let living = try SpawnedProcess(script: "sleep 60")
        let another = ProcessIdentity(of: living.pid)
        #expect(another.isAlive)
        kill(living.pid, SIGKILL)
        #expect(eventually { !another.isAlive })
    }
}
