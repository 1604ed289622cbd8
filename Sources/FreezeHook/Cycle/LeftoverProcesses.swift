// SPDX-License-Identifier: Apache-2.0

import FreezeHookBase
import Glibc
import SystemPackage

/// The processes that the hooks of a freeze leave running: children of this process, the subreaper of its hooks, and those
/// of their descendants that have a socket of their own, such as the client behind a shell that waits for it.
///
/// What these have started besides is their business: a client that waits in a loop has a new `sleep` at every moment.
struct LeftoverProcesses {
    /// The runs of the freeze, in their order.
    let runs: [CycleRecord.Run]

    // A hook's last helper, such as a logger behind its output, often ends a moment after the hook.
    private static let lingering = Duration.milliseconds(50)
    private static let interval: useconds_t = 5_000

    /// Whether a hook has left a process that is none of these.
    static func exist(besides known: Set<ProcessIdentity>) -> Bool {
        all().contains { !known.contains(ProcessIdentity(pid: $0.pid, startTime: $0.startTime)) }
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
        for entry in Self.all() {
            guard let run = run(of: entry) else { continue }
            found.append((run, ProcessIdentity(pid: entry.pid, startTime: entry.startTime)))
        }
        return found
    }

    // A hook may leave any number of processes, each with any number of descriptors.
    private static let limit = 256

    /// The children of this process, and of their descendants those with a socket of their own.
    private static func all() -> [ProcessEntry] {
        // The kernel lists children (CONFIG_PROC_CHILDREN); the table of all processes takes much longer.
        let table = readKernelFile("/proc/self/task/\(getpid())/children") == nil ? ProcessTable.all() : nil
        var found = children(of: getpid(), table).filter { $0.state != "Z" && !isOwn($0.pid) }
        var waiting = found.map { (entry: $0, sockets: Set<FilePath>?.none) }
        var seen = 0
        while seen < waiting.count, seen < limit {
            let (parent, known) = waiting[seen]
            seen += 1
            let descendants = children(of: parent.pid, table).filter { $0.state != "Z" && !isOwn($0.pid) }
            if descendants.isEmpty { continue }
            let inherited = known ?? sockets(of: parent.pid)
            for entry in descendants.prefix(limit) {
                // A socket that an ancestor has too stays open behind the end of this one.
                let own = sockets(of: entry.pid).subtracting(inherited)
                if !own.isEmpty { found.append(entry) }
                waiting.append((entry, inherited.union(own)))
            }
        }
        return found
    }

    /// The children of a process, by the kernel's lists or, where it has none, by the table of all processes.
    private static func children(of pid: pid_t, _ table: [ProcessEntry]?) -> [ProcessEntry] {
        if let table { return table.filter { $0.parent == pid } }
        // A child is in the list of the thread that has started it.
        let threads = (try? directoryNames(FilePath("/proc/\(pid)/task"))) ?? []
        return threads.prefix(limit).flatMap { thread in
            (readKernelFile("/proc/\(pid)/task/\(String(decoding: thread, as: UTF8.self))/children") ?? [])
                .split(separator: UInt8(ascii: " "))
                .compactMap { pid_t(String(decoding: $0, as: UTF8.self)).flatMap(ProcessTable.entry) }
        }
    }

    /// The sockets among the first descriptors of a process: `socket:[INODE]` (proc_pid_fd(5)).
    private static func sockets(of pid: pid_t) -> Set<FilePath> {
        // The kernel gives the lowest free number: no list of all of them, of which there may be a million.
        let targets = (0..<limit).compactMap { FilePath("/proc/\(pid)/fd/\($0)").linkTarget }
        return Set(targets.filter { $0.nameBytes.starts(with: "socket:[".utf8) })
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
