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

        /// Whether the hook's process never came to be: `HookStartError` has these statuses alone.
        var neverStarted: Bool { process == nil && (end?.status == 126 || end?.status == 127) }

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
    /// The id of the boot in which it was begun; empty when the kernel did not show it.
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
    /// The arguments of the thaw that the configuration gave hooks when they were frozen.
    private(set) var thawWords: [FilePath: String] = [:]
    /// The hooks whose application a thaw before this cycle has left held.
    private var heldBefore: [FilePath] = []
    /// Whether a thaw without a list of what is frozen calls every hook, and has not come to the last one.
    private(set) var thawsEveryHook = false
    /// The hooks whose thaw an administrator has given up.
    private(set) var givenUp: [FilePath] = []
    private var retriedThaws: Set<FilePath> = []
    // The hooks whose last thaw could not be started.
    private var unstartedThaws: Set<FilePath> = []
    // The hooks whose failed start was tried again.
    private var restartedThaws: Set<FilePath> = []

    /// The record in the bytes of its file; nil when the cycle's id is missing.
    package init?(parsing bytes: [UInt8]) {
        for line in FieldLine.lines(of: bytes) {
            if let entry = RecordEntry(line: line) { apply(entry) }
        }
        if id.isEmpty { return nil }
    }

    /// Whether something of this boot is to be thawed yet, or may be: processes and locks of another boot are gone.
    package var isUnfinished: Bool {
        isOf(boot: KernelID.boot) && (wasBegun && moments[.ended] == nil || !mayBeHeld.isEmpty)
    }

    /// Whether a freeze began the cycle; a thaw without a cycle has a record too.
    package var wasBegun: Bool { moments[.begun] != nil }

    /// Whether the cycle is over.
    var hasEnded: Bool { moments[.ended] != nil }

    // Both moments are read from clocks that tick between the two readings.
    private static let bootTolerance: Int64 = 1_000_000

    /// Whether the cycle was begun in the boot of this id, which began at this moment. Where the kernel did not show one
    /// of the two ids (it is empty), a cycle is of this boot when it was begun after the boot, by the clock.
    func isOf(boot id: String, begun moment: WallTime = .ofBoot) -> Bool {
        if !id.isEmpty && !bootID.isEmpty { return bootID == id }
        // A thaw without a cycle has a record too, and no beginning.
        guard let begun = (moments[.begun] ?? moments[.thawing])?.wall.microseconds else { return false }
        // The record's number comes from a file: a difference could overflow.
        let (limit, overflow) = begun.addingReportingOverflow(Self.bootTolerance)
        return overflow || limit >= moment.microseconds
    }

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

    /// The paths of the hooks to thaw, in the order of the freeze. A hook whose thaw has begun and not ended is among
    /// them, and so is one that a thaw before this cycle has left.
    var hooksToThaw: [FilePath] {
        var seen = Set(runs.filter { $0.action == .thaw && hasThawed($0) }.map(\.path) + givenUp)
        let frozen = runs.filter { $0.action == .freeze }.map(\.path)
        return (heldBefore + frozen).filter { seen.insert($0).inserted }
    }

    /// The paths of the hooks whose application may still be held although their thaw was tried, or refused.
    package var mayBeHeld: [FilePath] {
        // Loops: swiftc 6.3.1 crashes when it optimizes closures here for size.
        var candidates = Set(heldBefore)
        var frozen: Set<FilePath> = []
        for run in runs where run.action == .freeze {
            if Self.mayHold(run) { frozen.insert(run.path) }
        }
        var tried = Set(refusals.filter { $0.action == .thaw }.map(\.path))
        for run in runs where run.action == .thaw {
            // A thaw that runs has no answer yet, and takes none back.
            let isOpen = run.end == nil
            if leavesHeld(run) || isOpen && restartedThaws.contains(run.path) { tried.insert(run.path) }
            if !leavesHeld(run) && !isOpen { tried.remove(run.path) }
        }
        candidates.formUnion(frozen.intersection(tried))
        return hooksToThaw.filter(candidates.contains)
    }

    /// Whether no later thaw calls the hook again. A hook that fails under the guard may have waited for a frozen disk:
    /// the thaw that comes later calls it again.
    private func hasThawed(_ run: Run) -> Bool {
        guard let end = run.end, !leavesHeld(run) else { return false }
        return run.reason != .expired || !end.failed
    }

    /// The entries by which a new record takes over hooks whose application may still be held.
    func handedOver(_ paths: [FilePath]) -> [RecordEntry] {
        var entries: [RecordEntry] = []
        for path in paths {
            entries.append(.held(path: path))
            if let word = thawWords[path] { entries.append(.thawWord(path: path, word: word)) }
            // Sessions end with their window: a hook that fails in a later one, as it finds none, holds nothing.
            let hadSessions = holds.contains { $0.hook == path.name }
            if retriedThaws.contains(path) && !hadSessions { entries.append(.retryThaw(path: path)) }
        }
        return entries
    }

    /// Whether the thaw came to no end of its own. A status that the hook itself has chosen is its answer, unless the
    /// hook declares otherwise.
    private func leavesHeld(_ run: Run) -> Bool {
        guard let end = run.end else { return false }
        if run.neverStarted || end.timedOut || end.signal != nil { return true }
        guard end.failed, retriedThaws.contains(run.path) else { return false }
        // A hook whose sessions have all ended fails because one of them was lost, and holds nothing.
        let sessions = holds.filter { $0.hook == run.name }
        return sessions.isEmpty || sessions.contains { $0.ending == nil }
    }

    /// Whether the freeze may have locked something: the hook ran, and did not say that it had nothing to do.
    private static func mayHold(_ freeze: Run) -> Bool {
        !freeze.neverStarted && freeze.end?.status != HookStatus.nothingToDo
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
            if moment == .thawed { thawsEveryHook = false }
        case .start(let action, let reason, let path, let guarantee, let time):
            // The same call again: a start that failed and was repeated is no run of its own.
            if action == .thaw, unstartedThaws.remove(path) != nil {
                runs.removeAll { $0.action == .thaw && $0.path == path && $0.neverStarted }
                restartedThaws.insert(path)
            }
            runs.append(Run(action: action, reason: reason, path: path, guarantee: guarantee, started: time))
        case .process(let process):
            if !runs.isEmpty { runs[runs.count - 1].process = process }
        case .notExecuted:
            if !runs.isEmpty { runs[runs.count - 1].process = nil }
        case .end(let status, let signal, let timedOut, let duration, let explanation):
            let end = RunEnd(
                status: status, signal: signal, timedOut: timedOut, duration: duration, explanation: explanation)
            // Mostly the run that was started last. A freeze that goes on after the guard has thawed tells of the end of
            // a run before.
            guard let index = runs.lastIndex(where: { $0.end == nil }) ?? runs.indices.last else { return }
            runs[index].end = end
            if runs[index].action == .thaw, runs[index].neverStarted { unstartedThaws.insert(runs[index].path) }
        case .thawWord(let path, let word):
            thawWords[path] = word
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
        case .retryThaw(let path):
            retriedThaws.insert(path)
        case .held(let path):
            heldBefore.append(path)
            thawsEveryHook = false
        case .every:
            thawsEveryHook = true
        case .givenUp(let path):
            givenUp.append(path)
        }
    }

    private mutating func changeHold(_ name: String, _ change: (inout Hold) -> Void) {
        guard let index = holds.lastIndex(where: { $0.name == name }) else { return }
        change(&holds[index])
    }
}
