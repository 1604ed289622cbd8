// SPDX-License-Identifier: Apache-2.0

import FreezeHookBase
import Glibc
import SystemPackage

/// The environment of hooks: the caller's own, completed, with the FSFREEZE_ variables of the cycle.
struct HookEnvironment {
    private let inherited: [[UInt8]]
    private let cycle: String
    private let runDirectory: FilePath

    /// The PATH when the caller has none.
    static let defaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

    // The values of a shell that init starts. In its systemd unit the agent has no HOME, and without HOME clients find
    // neither ~/.my.cnf nor ~/.pgpass.
    private static let supplied: [(name: String, value: String)] = [
        ("PATH", defaultPath), ("HOME", "/root"),
    ]

    init(cycle: String, runDirectory: FilePath, inherited: [[UInt8]] = HookEnvironment.ofThisProcess()) {
        self.cycle = cycle
        self.runDirectory = runDirectory
        var entries = inherited.filter { !$0.starts(with: "FSFREEZE_".utf8) }
        for (name, value) in Self.supplied where !entries.contains(where: { $0.starts(with: "\(name)=".utf8) }) {
            entries.append(Array("\(name)=\(value)".utf8))
        }
        self.inherited = entries
    }

    /// The beginning of the entry that names the hook.
    static let hookKey = "FSFREEZE_HOOK="

    /// The entry that names the hook: for the hook itself, for `hold`, and to recognise the hook's processes.
    static func marker(of hook: Hook) -> [UInt8] {
        Array(hookKey.utf8) + hook.path.nameBytes
    }

    /// The entry that names the cycle.
    static func marker(ofCycle id: String) -> [UInt8] {
        Array("FSFREEZE_CYCLE=\(id)".utf8)
    }

    /// The entries for one run of a hook; `limit` is its time limit.
    func entries(for hook: Hook, _ action: HookAction, reason: RunReason, limit: Duration) -> [[UInt8]] {
        inherited + [
            Self.marker(of: hook),
            Self.marker(ofCycle: cycle),
            Array("FSFREEZE_ACTION=\(action.rawValue)".utf8),
            Array("FSFREEZE_REASON=\(reason.rawValue)".utf8),
            Array("FSFREEZE_TIMEOUT=\(DurationText.seconds(limit))".utf8),
            Array("FSFREEZE_RUN_DIR=".utf8) + runDirectory.bytes,
        ]
    }

    /// The environment of this process, in raw bytes.
    static func ofThisProcess() -> [[UInt8]] {
        var entries: [[UInt8]] = []
        var next = environ
        while let entry = next.pointee {
            entries.append(Array(UnsafeRawBufferPointer(start: entry, count: strlen(entry))))
            next += 1
        }
        return entries
    }
}
