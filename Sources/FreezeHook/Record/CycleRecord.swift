// SPDX-License-Identifier: Apache-2.0

import FreezeHookBase
import Glibc
import SystemPackage

/// All that is known of a cycle, read back from its record: what has to be thawed, and how the cycle went.
package struct CycleRecord {
    /// One run of a hook.
    package struct Run {
        /// The word it was called with.
        package var action: HookAction
        /// Why it was called.
        package var reason: RunReason
        /// Its path.
        package var path: FilePath
        /// What it promises of an image; nil when it does not say.
        package var guarantee: Guarantee?
        /// When it was called.
        package var started: Timestamp
        /// Its process; nil when it could not be started.
        package var process: ProcessIdentity?
        /// nil as long as the hook runs, and for good when the program was killed meanwhile.
        package var end: RunEnd?

        /// Whether it need not be run again. What fails in the guard's hands may have waited for a frozen disk: the
        /// thaw that comes later calls it again.
        package var isDone: Bool {
            guard let end else { return false }
            return reason != .expired || !end.failed
        }

        /// The file name, cleaned.
        package var name: String { path.name }
    }

    /// How a run ended.
    package struct RunEnd {
        /// Its exit status, or the shell's number for another ending.
        package var status: Int32
        /// The signal that it died of.
        package var signal: Int32?
        /// Whether it took longer than it may.
        package var timedOut: Bool
        /// How long it took.
        package var duration: Duration
        /// What the number alone does not say; empty when there is nothing to add.
        package var explanation: String

        /// Whether it counts as a failure.
        package var failed: Bool { HookStatus.isFailure(status) }
    }

    /// A session kept open for a hook.
    package struct Hold {
        /// What `release` calls it by.
        package var name: String
        /// The name of the hook it is held for; empty for another caller.
        package var hook: String
        /// The process that keeps it.
        package var holder: ProcessIdentity
        /// The process that is kept; nil before it was started.
        package var client: ProcessIdentity?
        /// How it ended; nil as long as it is open, and when its holder was killed.
        package var ending: HoldEnding?
    }

    /// How a session ended.
    package enum HoldEnding: Equatable {
        case released
        case lost(time: WallTime?, reason: String)
    }

    /// The cycle's id, a UUID.
    package private(set) var id = ""
    /// The id of the boot in which it was begun.
    package private(set) var bootID = ""
    /// The process that rehearses; nil for a cycle that freezes filesystems.
    private(set) var rehearser: ProcessIdentity?
    /// What has been reached, and when.
    package private(set) var moments: [CycleMoment: Timestamp] = [:]
    private(set) var runs: [Run] = []
    private(set) var refusals: [(action: HookAction, path: FilePath, reason: String)] = []
    /// The sockets of drainers whose words have not been fetched.
    private(set) var drainers: [String] = []
    /// The process that guards the window, and the name of its socket in the run directory.
    package private(set) var guardian: (process: ProcessIdentity, socket: String)?
    /// The sessions that were opened in its window, in their order.
    package private(set) var holds: [Hold] = []
    private(set) var faults: [String] = []

    /// The record that the bytes of its file tell; nil when not even the cycle's id is there.
    package init?(parsing bytes: [UInt8]) {
        for line in FieldLine.lines(of: bytes) {
            if let entry = RecordEntry(line: line) { apply(entry) }
        }
        if id.isEmpty { return nil }
    }

    /// Whether a freeze of this boot began it: processes and locks of another one are gone.
    package var isUnfinished: Bool { bootID == KernelID.boot && moments[.begun] != nil }

    /// What it is for.
    package var kind: CycleKind { rehearser == nil ? .backup : .rehearsal }

    /// Whether no filesystem is frozen, and nothing is imaged.
    package var isRehearsal: Bool { kind == .rehearsal }

    /// All freeze hooks have run; it is the thaw's turn.
    package var isFrozen: Bool { moments[.frozen] != nil }

    /// The guard has ended the window, and a thaw has not yet come.
    package var hasExpired: Bool { moments[.expired] != nil }

    /// Its thaw has begun, whoever began it.
    var isBeingThawed: Bool { hasExpired || moments[.thawing] != nil }

    /// The hooks that have to be thawed, in the order in which they were frozen. One whose thaw was begun and did not
    /// come to its end, with whatever status, is among them.
    var hooksToThaw: [Run] {
        var seen = Set(runs.filter { $0.action == .thaw && $0.isDone }.map(\.path))
        return runs.filter { $0.action == .freeze && seen.insert($0.path).inserted }
    }

    /// The sessions that were neither released nor found lost.
    var openHolds: [Hold] { holds.filter { $0.ending == nil } }

    private mutating func apply(_ entry: RecordEntry) {
        switch entry {
        case .cycle(let id, let bootID):
            self.id = id
            self.bootID = bootID
        case .rehearsal(let process):
            rehearser = process
        case .moment(let moment, let time):
            // The first one counts: a thaw that was killed is begun again.
            if moments[moment] == nil { moments[moment] = time }
        case .start(let action, let reason, let path, let guarantee, let time):
            runs.append(Run(action: action, reason: reason, path: path, guarantee: guarantee, started: time))
        case .process(let process):
            if !runs.isEmpty { runs[runs.count - 1].process = process }
        case .end(let status, let signal, let timedOut, let duration, let explanation):
            let end = RunEnd(
                status: status, signal: signal, timedOut: timedOut, duration: duration, explanation: explanation)
            if !runs.isEmpty { runs[runs.count - 1].end = end }
        case .refused(let action, let path, let reason):
            refusals.append((action, path, reason))
        case .drainer(let socket):
            drainers.append(socket)
        case .drained(let socket):
            drainers.removeAll { $0 == socket }
        case .guardian(let process, let socket):
            guardian = (process, socket)
        case .hold(let name, let hook, let holder):
            holds.append(Hold(name: name, hook: hook, holder: holder))
        case .client(let name, let process):
            changeHold(name) { $0.client = process }
        case .released(let name):
            changeHold(name) { $0.ending = .released }
        case .lost(let name, let time, let reason):
            changeHold(name) { if $0.ending == nil { $0.ending = .lost(time: time, reason: reason) } }
        case .fault(let text):
            faults.append(text)
        }
    }

    private mutating func changeHold(_ name: String, _ change: (inout Hold) -> Void) {
        guard let index = holds.lastIndex(where: { $0.name == name }) else { return }
        change(&holds[index])
    }
}
