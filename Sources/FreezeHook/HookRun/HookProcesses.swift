import Glibc

/// The processes that one run of a hook has started: those below its own, and those that left it and came to this
/// process, which is the subreaper of all.
struct HookProcesses {
    let main: pid_t
    /// Clock ticks since boot at which the hook's own process began.
    let startTime: UInt64
    /// The entry of the environment that tells this hook's orphans from those of hooks before it.
    let marker: [UInt8]

    init(main: pid_t, marker: [UInt8]) {
        self.main = main
        self.marker = marker
        // Not yet reaped, so its entry is there even when it has already ended.
        startTime = ProcessTable.entry(main)?.startTime ?? 0
    }

    /// Those that still live; zombies do not.
    func living() -> [ProcessEntry] {
        let table = ProcessTable.all()
        let strays = table.filter { $0.parent == getpid() && $0.pid != main && isOwn($0) }
        let own = table.filter { $0.pid == main } + strays
        let below = ProcessTable.descendants(of: Set(own.map(\.pid)).union([main]), in: table)
        return (own + below).filter { $0.state != "Z" }
    }

    /// Sends a signal to each that still lives.
    func signal(_ signal: Int32) {
        for process in living() { kill(process.pid, signal) }
    }

    // What an earlier hook left running may fork while this one runs, and its orphans come here as well.
    private func isOwn(_ orphan: ProcessEntry) -> Bool {
        guard orphan.startTime >= startTime else { return false }
        guard let environment = ProcessTable.environment(of: orphan.pid) else { return true }
        let marked = environment.filter { $0.starts(with: HookEnvironment.hookKey.utf8) }
        return marked.isEmpty || marked.contains(marker)
    }
}
