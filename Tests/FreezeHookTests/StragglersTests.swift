// SPDX-License-Identifier: Apache-2.0

import Glibc
import SystemPackage
import TestSupport
import Testing

@testable import FreezeHook
@testable import FreezeHookAdmin
@testable import FreezeHookBase
@testable import FreezeHookRecipes

/// Hooks that still run although their program was killed.
@Suite struct StragglersTests {
    private func record(boot: String, _ entries: RecordEntry...) throws -> CycleRecord {
        try #require(CycleRecord(parsing: recordBytes([.begin(boot: boot), .starts("30-slow")] + entries)))
    }

    private func end(of record: CycleRecord) -> [String] {
        Stragglers(killGrace: .milliseconds(200)).end(of: record).map(\.string)
    }

    private func isRunning(_ process: SpawnedProcess) -> Bool {
        ProcessTable.entry(process.pid).map { $0.state != "Z" } ?? false
    }

    @Test func `The recorded process of an unfinished run is ended`() throws {
        let hook = try SpawnedProcess("/bin/sleep", ["sleep", "1000"])
        #expect(end(of: try record(boot: KernelID.boot, .process(ProcessIdentity(of: hook.pid)))) == ["/d/30-slow"])
        #expect(!isRunning(hook))
    }

    @Test func `That of a run that has ended stays, of another start, and of another boot`() throws {
        let other = try SpawnedProcess("/bin/sleep", ["sleep", "1000"])
        let identity = ProcessIdentity(of: other.pid)
        let reused = ProcessIdentity(pid: identity.pid, startTime: identity.startTime - 1)
        #expect(end(of: try record(boot: KernelID.boot, .process(identity), .ends())) == [])
        #expect(end(of: try record(boot: KernelID.boot, .process(reused))) == [])
        #expect(end(of: try record(boot: "another", .process(identity))) == [])
        #expect(isRunning(other))
    }

    @Test func `A process with a hook's environment and name is no hook`() throws {
        let decoy = try SpawnedProcess(
            "/bin/sleep", ["/d/30-slow", "1000"],
            environment: [bytes("FSFREEZE_CYCLE=cycle-1"), bytes("FSFREEZE_HOOK=30-slow")])
        #expect(end(of: try record(boot: KernelID.boot)) == [])
        #expect(isRunning(decoy))
    }

    /// The leader's id may be another's by now, and so may the id of its session.
    @Test(arguments: [true, false]) func `Of a session without its leader only one of the cycle is ended`(
        isMarked: Bool
    ) throws {
        let entries = ["PATH=/usr/bin:/bin"] + (isMarked ? ["FSFREEZE_CYCLE=cycle-1"] : [])
        let leader = try SpawnedProcess("/bin/sh", ["sh", "-c", "sleep 1000 & :"], environment: entries.map(bytes))
        let identity = ProcessIdentity(of: leader.pid)
        leader.reap()
        let member = try #require(
            ProcessTable.all().first { $0.session == leader.pid && ProcessTable.arguments(of: $0.pid) != nil })
        defer { kill(member.pid, SIGKILL) }
        #expect(eventually { ProcessTable.arguments(of: member.pid)?.first == bytes("sleep") })
        #expect(end(of: try record(boot: KernelID.boot, .process(identity))) == (isMarked ? ["/d/30-slow"] : []))
        #expect(ProcessIdentity(pid: member.pid, startTime: member.startTime).isAlive == !isMarked)
    }
}
