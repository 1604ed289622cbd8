// SPDX-License-Identifier: Apache-2.0

import FreezeHookBase
import Glibc
import SystemPackage

/// The processes that the hooks of a freeze leave running: children of this process, the subreaper of its hooks.
///
/// What these have started themselves is their business: a client that waits in a loop has a new `sleep` at every moment.
struct LeftoverProcesses {
    /// The runs of the freeze, in their order.
    let runs: [CycleRecord.Run]

    // A hook's last helper, such as a logger behind its output, often ends a moment after the hook.
    private static let lingering = Duration.milliseconds(50)
    private static let interval: useconds_t = 5_000

    /// Whether a hook has left a process that is none of these.
    static func exist(besides known: Set<ProcessIdentity>) -> Bool {
        children().contains {
            $0.state != "Z" && !known.contains(ProcessIdentity(pid: $0.pid, startTime: $0.startTime)) && !isOwn($0.pid)
        }
    }

    /// The processes that outlive their hook by more than a moment, each with the run that it belongs to.
    func staying() -> [(run: CycleRecord.Run, process: ProcessIdentity)] {
        var found = living()
        while !found.isEmpty {
            let now = MonotonicTime.now()
            guard found.contains(where: { now < $0.run.ended + Self.lingering }) else { break }
            usleep(Self.interval)
            found = found.filter(\.process.isAlive)
        }
        return found
    }

    private func living() -> [(run: CycleRecord.Run, process: ProcessIdentity)] {
        var found: [(run: CycleRecord.Run, process: ProcessIdentity)] = []
        for entry in Self.children() where entry.state != "Z" && !Self.isOwn(entry.pid) {
            guard let run = run(of: entry) else { continue }
            found.append((run, ProcessIdentity(pid: entry.pid, startTime: entry.startTime)))
        }
        return found
    }

    /// The children of this process.
    private static func children() -> [ProcessEntry] {
        // The kernel lists them (CONFIG_PROC_CHILDREN); the table of all processes takes much longer.
        guard let text = readKernelFile("/proc/self/task/\(getpid())/children") else {
            return ProcessTable.all().filter { $0.parent == getpid() }
        }
        return text.split(separator: UInt8(ascii: " ")).compactMap { word in
            pid_t(String(decoding: word, as: UTF8.self)).flatMap(ProcessTable.entry)
        }
    }

    /// Whether a process is a guard, holder or drainer of this program, which `OwnProcess` starts without a hook's name.
    private static func isOwn(_ pid: pid_t) -> Bool {
        ProcessTable.environment(of: pid)?.contains(Array(HookEnvironment.hookKey.utf8)) ?? false
    }

    /// The run to which a process belongs: by its session, by the hook's name in its environment, or, for one that has
    /// changed both, by its start.
    private func run(of entry: ProcessEntry) -> CycleRecord.Run? {
        let earlier = runs.filter { run in run.process.map { $0.startTime <= entry.startTime } ?? false }
        if let run = earlier.last(where: { $0.process?.pid == entry.session }) { return run }
        let key = Array(HookEnvironment.hookKey.utf8)
        if let marker = ProcessTable.environment(of: entry.pid)?.last(where: { $0.starts(with: key) }),
            let run = earlier.last(where: { key + $0.path.nameBytes == marker })
        {
            return run
        }
        // A start is known to the kernel's tick, in which a later hook may have been started: pids ascend.
        return earlier.last { $0.process.map { $0.startTime < entry.startTime || $0.pid < entry.pid } ?? false }
            ?? earlier.last
    }
}

extension CycleRecord.Run {
    /// The moment at which the run ended; its start while it has not.
    fileprivate var ended: MonotonicTime { started.monotonic + (end?.duration ?? .zero) }
}
