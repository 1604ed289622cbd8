import FreezeHookBase
import Glibc

/// The processes that one run of a hook has started: those below its own, and those that left it and came to this
/// process, which is the subreaper of all.
struct HookProcesses {
    /// The hook's own process.
    let leader: ProcessIdentity
    /// The entry of the environment that tells this hook's orphans from those of hooks before it.
    let marker: [UInt8]

    init(main: pid_t, marker: [UInt8]) {
        // Not yet reaped, so it can be read even when it has already ended.
        leader = ProcessIdentity(of: main)
        self.marker = marker
    }

    /// Those that still live; zombies do not.
    func living() -> [ProcessEntry] {
        let table = ProcessTable.all()
        let strays = table.filter { $0.parent == getpid() && $0.pid != leader.pid && isOwn($0) }
        let own = table.filter { $0.pid == leader.pid } + strays
        let below = ProcessTable.descendants(of: Set(own.map(\.pid)).union([leader.pid]), in: table)
        return (own + below).filter { $0.state != "Z" }
    }

    /// Sends a signal to each that still lives.
    func signal(_ signal: Int32) {
        for process in living() { kill(process.pid, signal) }
    }

    // What an earlier hook left running may fork while this one runs, and its orphans come here as well.
    private func isOwn(_ orphan: ProcessEntry) -> Bool {
        guard orphan.startTime >= leader.startTime else { return false }
        guard let environment = ProcessTable.environment(of: orphan.pid) else { return true }
        let marked = environment.filter { $0.starts(with: HookEnvironment.hookKey.utf8) }
        return marked.isEmpty || marked.contains(marker)
    }
}
