// SPDX-License-Identifier: Apache-2.0

import Glibc
import TestSupport
import Testing

@testable import FreezeHook
@testable import FreezeHookAdmin
@testable import FreezeHookBase
@testable import FreezeHookRecipes

/// A process with its family, and their end.
@Suite struct ProcessFamilyTests {
    /// A script's process, which lives as long as this, with its family.
    struct Script {
        let child: SpawnedProcess
        let family: ProcessFamily

        init(_ script: String) throws {
            child = try SpawnedProcess(script: script)
            family = ProcessFamily(leader: ProcessIdentity(of: child.pid))
        }

        /// The script once its family has this many members.
        init(_ script: String, members: Int) throws {
            try self.init(script)
            let family = family
            guard eventually({ family.living().count == members }) else {
                throw TestFailure("\(family.living().count) processes instead of \(members)")
            }
        }
    }

    @Test func `One process is ended by SIGTERM, without waiting for the grace`() throws {
        let script = try Script("exec sleep 60", members: 1)
        #expect(script.family.living().map(\.pid) == [script.child.pid])
        let begin = monotonicSeconds()
        #expect(script.family.end(grace: .seconds(30)).survivors == 0)
        #expect(monotonicSeconds() - begin < 10)
        #expect(Processes.state(of: script.child.pid) == "Z")
    }

    @Test func `One that ignores SIGTERM is killed after the grace`() throws {
        let directory = try TemporaryDirectory()
        let text = "trap '' TERM; : > \(directory.path)/ready; while :; do sleep 60; done"
        let script = try Script(text)
        #expect(eventually { Files.exists("\(directory.path)/ready") && script.family.living().count == 2 })
        let begin = monotonicSeconds()
        #expect(script.family.end(grace: .milliseconds(50)).survivors == 0)
        #expect(monotonicSeconds() - begin >= 0.05)
        #expect(script.family.living().isEmpty)
    }

    @Test func `Children, their children and those in other sessions are ended`() throws {
        _ = try Tools.command("setsid", package: "util-linux")
        let text = "sleep 60 & (sleep 60; :) & setsid sleep 60 & sleep 60; :"
        let script = try Script(text, members: 6)
        #expect(script.family.end(grace: .seconds(10)).survivors == 0)
        #expect(script.family.living().isEmpty)
    }

    @Test func `Orphans of its session are ended, also when the leader has gone`() throws {
        let script = try Script("(sleep 60 &) ; sleep 60 & exit 0", members: 2)
        // The kernel does not reuse the leader's pid before wait(2).
        #expect(eventually { Processes.state(of: script.child.pid) == "Z" })
        #expect(script.family.living().count == 2)
        script.child.reap()
        #expect(script.family.living().count == 2)
        #expect(script.family.end(grace: .seconds(10)).survivors == 0)
        #expect(script.family.living().isEmpty)
    }

    @Test func `What has ended already needs nothing`() throws {
        let script = try Script("exit 0")
        script.child.reap()
        #expect(script.family.living().isEmpty)
        #expect(script.family.end(grace: .seconds(10)).survivors == 0)
    }

    @Test func `A stranger of the same number is left alone, with its session and children`() throws {
        let script = try Script("sleep 60 & sleep 60; :", members: 3)
        let stranger = ProcessFamily(
            leader: ProcessIdentity(pid: script.child.pid, startTime: script.family.leader.startTime - 1))
        #expect(stranger.living().isEmpty)
        #expect(stranger.end(grace: .seconds(10)).survivors == 0)
        #expect(script.family.living().count == 3)
        #expect(script.family.end(grace: .seconds(10)).survivors == 0)
    }

    @Test func `Other processes are left alone`() throws {
        let other = try SpawnedProcess(script: "exec sleep 60")
        let script = try Script("sleep 60; :", members: 2)
        #expect(script.family.end(grace: .seconds(10)).survivors == 0)
        #expect(ProcessIdentity(of: other.pid).isAlive)
    }
}
