// SPDX-License-Identifier: Apache-2.0

import SystemPackage
import TestSupport

@testable import FreezeHook
@testable import FreezeHookAdmin
@testable import FreezeHookBase
@testable import FreezeHookRecipes

extension Timestamp {
    /// A moment so many seconds after the first one of a test.
    static func at(_ seconds: Double) -> Timestamp {
        Timestamp(
            monotonic: MonotonicTime(nanoseconds: 1_000_000_000_000 + Int64(seconds * 1e9)),
            wall: WallTime(microseconds: 1_795_400_387_000_000 + Int64(seconds * 1e6)))
    }
}

extension RecordEntry {
    /// The first line of a record.
    static func begin(_ id: String = "cycle-1", boot: String = "boot-1") -> RecordEntry {
        .cycle(id: id, bootID: boot)
    }

    /// The start of a hook in `/d`.
    static func starts(
        _ name: String, _ action: HookAction = .freeze, _ reason: RunReason? = nil, guarantee: Guarantee? = nil,
        at seconds: Double = 0
    ) -> RecordEntry {
        .start(
            action: action, reason: reason ?? (action == .thaw ? .thaw : .freeze), path: FilePath("/d/\(name)"),
            guarantee: guarantee, time: .at(seconds))
    }

    /// The end of the hook started last: by a signal.
    static let isKilled = RecordEntry.end(
        status: 137, signal: 9, timedOut: false, duration: .milliseconds(1), explanation: "killed by SIGKILL")

    /// The end of the hook started last: for its time.
    static let exceedsLimit = RecordEntry.end(
        status: 124, signal: nil, timedOut: true, duration: .milliseconds(1), explanation: "")

    /// The end of the hook started last.
    static func ends(_ status: Int32 = 0, _ explanation: String = "") -> RecordEntry {
        .end(status: status, signal: nil, timedOut: false, duration: .milliseconds(1), explanation: explanation)
    }

    /// A moment of the cycle.
    static func reaches(_ moment: CycleMoment, at seconds: Double = 0) -> RecordEntry { .moment(moment, .at(seconds)) }
}

/// The bytes of a record of these entries.
func recordBytes(_ entries: [RecordEntry]) -> [UInt8] { entries.flatMap(\.line) }

/// The record of these entries, behind its first line.
func recorded(_ entries: RecordEntry...) throws -> CycleRecord {
    guard let record = CycleRecord(parsing: recordBytes([.begin()] + entries)) else {
        throw TestFailure("these entries make no record: \(entries)")
    }
    return record
}

extension CycleRecord {
    /// The names of the hooks that have to be thawed.
    var namesToThaw: [String] { hooksToThaw.map(\.name) }
}
