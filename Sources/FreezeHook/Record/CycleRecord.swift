// SPDX-License-Identifier: Apache-2.0

import FreezeHookBase
import Glibc
import SystemPackage

/// A cycle, read from its record: the hooks to thaw, and how the cycle went.
package struct CycleRecord {
    /// One run of a hook.
    package struct Run {
        /// The action of the call.
        package var action: HookAction
        /// The reason of the call.
        package var reason: RunReason
        /// The hook's path.
        package var path: FilePath
        /// The hook's promise for an image; nil when it declares none.
        package var guarantee: Guarantee?
        /// The moment of the call.
        package var started: Timestamp
        /// The hook's process; nil when it could not be started.
        package var process: ProcessIdentity?
        /// The ending; nil while the hook runs, and for good when the program was killed meanwhile.
        package var end: RunEnd?

        /// Whether no later thaw calls the hook again. A hook that fails under the guard may have waited for a frozen
        /// disk: the thaw that comes later calls it again.
        package var isDone: Bool {
            guard let end else { return false }
            return reason != .expired || !end.failed
        }

        /// The hook's file name, cleaned.
        package var name: String { path.name }
    }

    /// How a run ended.
    package struct RunEnd {
        /// The exit status, or the shell's number for another ending.
        package var status: Int32
        /// The signal that killed the hook's process.
        package var signal: Int32?
        /// Whether the run exceeded its time limit.
        package var timedOut: Bool
        /// The time from start to end.
        package var duration: Duration
        /// The explanation of the status number, in words; empty when there is none.
        package var explanation: String

        /// Whether the run counts as a failure.
        package var failed: Bool { HookStatus.isFailure(status) }
    }

    /// A session kept open for a hook.
    package struct Hold {
        /// The session's name, for `release`.
        package var name: String
        /// The name of the hook that opened the session; empty for another caller.
        package var hook: String
        /// The holder's process.
        package var holder: ProcessIdentity
        /// The client's process; nil before its start.
        package var client: ProcessIdentity?
        /// The ending; nil while the session is open, and when its holder was killed.
        package var ending: HoldEnding?
    }

    /// The ending of a session.
    package enum HoldEnding: Equatable {
        case released
        case lost(time: WallTime?, reason: String)
    }

    /// A process that a hook has left running.
    struct Leftover: Equatable {
        /// The hook's path.
        var path: FilePath
        /// The process, which lived when the freeze was answered.
        var process: ProcessIdentity
        /// Whether the process has ended before the hook's thaw.
        var hasEnded = false
        /// The moment of that end; nil when it is not known.
        var ended: WallTime?
    }

    /// The cycle's id, a UUID.
    package private(set) var id = ""
    /// The id of the boot in which it was begun.
    package private(set) var bootID = ""
    /// The process that rehearses; nil for a cycle that freezes filesystems.
    private(set) var rehearser: ProcessIdentity?
    /// The moments that the cycle has reached.
    package private(set) var moments: [CycleMoment: Timestamp] = [:]
    private(set) var runs: [Run] = []
    private(set) var refusals: [(action: HookAction, path: FilePath, reason: String)] = []
    /// The sockets of drainers whose lines have not been fetched.
    private(set) var drainers: [String] = []
    /// The guard's process, and the name of its socket in the run directory; nil without a guard.
    package private(set) var guardian: (process: ProcessIdentity, socket: String)?
    /// The limits of its sessions; nil for a freeze of an older version.
    private(set) var holdLimits: HoldLimits?
    /// The sessions that were opened in its window, in their order.
    package private(set) var holds: [Hold] = []
    /// The processes that hooks have left running.
    private(set) var leftovers: [Leftover] = []
    /// The qemu-ga that started the freeze; nil when another program did, or the kernel does not show it.
    private(set) var agent: CallingAgent?
    /// Whether the agent has thawed although it has not answered the freeze.
    private(set) var isUnanswered = false
    private(set) var faults: [String] = []

    /// The record in the bytes of its file; nil when the cycle's id is missing.
    package init?(parsing bytes: [UInt8]) {
        for line in FieldLine.lines(of: bytes) {
            if let entry = RecordEntry(line: line) { apply(entry) }
        }
        if id.isEmpty { return nil }
    }

    /// Whether a freeze of this boot began the cycle: processes and locks of another boot are gone.
    package var isUnfinished: Bool { bootID == KernelID.boot && moments[.begun] != nil }

    /// The purpose of the cycle.
    package var kind: CycleKind { rehearser == nil ? .backup : .rehearsal }

    /// Whether the cycle is a rehearsal.
    package var isRehearsal: Bool { kind == .rehearsal }

    /// Whether all freeze hooks have run.
    package var isFrozen: Bool { moments[.frozen] != nil }

    /// Whether the guard has ended the window.
    package var hasExpired: Bool { moments[.expired] != nil }

    /// Whether a thaw has begun, that of the guard included.
    var isBeingThawed: Bool { hasExpired || moments[.thawing] != nil }

    /// The hooks to thaw, in the order of the freeze. A hook whose thaw has begun and not ended is among them.
    var hooksToThaw: [Run] {
        var seen = Set(runs.filter { $0.action == .thaw && $0.isDone }.map(\.path))
        return runs.filter { $0.action == .freeze && seen.insert($0.path).inserted }
    }

    /// The processes that the hook at `path` has left running, unless its thaw has begun: a thaw hook ends them.
    func leftoversBeforeThaw(of path: FilePath) -> [Leftover] {
        if runs.contains(where: { $0.action == .thaw && $0.path == path }) { return [] }
        return leftovers.filter { $0.path == path && !$0.hasEnded }
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
            // Mostly the run that was started last. A freeze that goes on after the guard has thawed tells of the end of
            // a run before.
            if let index = runs.lastIndex(where: { $0.end == nil }) ?? runs.indices.last { runs[index].end = end }
        case .refused(let action, let path, let reason):
            refusals.append((action, path, reason))
        case .drainer(let socket):
            drainers.append(socket)
        case .drained(let socket):
            drainers.removeAll { $0 == socket }
        case .guardian(let process, let socket):
            guardian = (process, socket)
        case .limits(let limits):
            holdLimits = limits
        case .hold(let name, let hook, let holder):
            holds.append(Hold(name: name, hook: hook, holder: holder))
        case .client(let name, let process):
            changeHold(name) { $0.client = process }
        case .released(let name):
            changeHold(name) { $0.ending = .released }
        case .lost(let name, let time, let reason):
            changeHold(name) { if $0.ending == nil { $0.ending = .lost(time: time, reason: reason) } }
        case .left(let path, let process):
            leftovers.append(Leftover(path: path, process: process))
        case .leftEnded(let process, let time):
            // The guard, which knows the time, may write behind a thaw, which does not.
            guard let index = leftovers.firstIndex(where: { $0.process == process }) else { return }
            leftovers[index].hasEnded = true
            leftovers[index].ended = leftovers[index].ended ?? time
        case .agent(let process, let writes):
            agent = CallingAgent(process: process, writes: writes)
        case .unanswered:
            isUnanswered = true
        case .fault(let text):
            faults.append(text)
        }
    }

    private mutating func changeHold(_ name: String, _ change: (inout Hold) -> Void) {
        guard let index = holds.lastIndex(where: { $0.name == name }) else { return }
        change(&holds[index])
    }
}
