// SPDX-License-Identifier: Apache-2.0

import Glibc
import SystemPackage
import TestSupport
import Testing

@testable import FreezeHook
@testable import FreezeHookAdmin
@testable import FreezeHookBase
@testable import FreezeHookRecipes

/// Hooks whose program was killed before it could note their process ids.
@Suite struct StragglersTests {
    private let id = "cycle-\(UInt64.random(in: .min ... .max))"

    private func record(_ entries: RecordEntry...) throws -> CycleRecord {
        try #require(CycleRecord(parsing: recordBytes([.begin(id), .starts("30-slow")] + entries)))
    }

    /// A process with the environment of the hook.
    private func start(_ words: String...) throws -> SpawnedProcess {
        let process = try SpawnedProcess(
            "/bin/sleep", words, environment: [bytes("FSFREEZE_CYCLE=\(id)"), bytes("FSFREEZE_HOOK=30-slow")])
        // execve(2) lets the parent of a vfork go on before /proc shows the new environment.
        guard eventually(within: 5, { ProcessTable.environment(of: process.pid)?.isEmpty == false }) else {
            throw TestFailure("no environment")
        }
        return process
    }

    private func isRunning(_ process: SpawnedProcess) -> Bool {
        ProcessTable.entry(process.pid).map { $0.state != "Z" } ?? false
    }

    private func end(of record: CycleRecord) -> [String] {
        Stragglers(killGrace: .milliseconds(200)).end(of: record).map(\.string)
    }

    @Test func `One that has executed something else is ended`() throws {
        // After "exec sleep" in a hook the command line no longer has the hook's path.
        let hook = try start("sleep", "1000")
        #expect(end(of: try record()) == ["/d/30-slow"])
        #expect(!isRunning(hook))
    }

    @Test func `One that still has its name comes first`() throws {
        let other = try start("sleep", "1000")
        let hook = try start("/d/30-slow", "1000")
        #expect(end(of: try record()) == ["/d/30-slow"])
        #expect(!isRunning(hook))
        #expect(isRunning(other))
    }

    @Test func `A session that the hook holds stays`() throws {
        let holder = try start("sleep", "1000")
        let client = try start("sleep", "1000")
        let names = try [holder, client].map { process in
            ProcessIdentity(pid: process.pid, startTime: try #require(ProcessTable.entry(process.pid)).startTime)
        }
        let held = try record(
            .hold(name: "a", hook: "30-slow", holder: names[0]), .client(hold: "a", names[1]))
        #expect(end(of: held) == [])
        #expect(isRunning(holder) && isRunning(client))
    }
}
