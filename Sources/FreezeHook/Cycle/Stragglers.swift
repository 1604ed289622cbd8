import Glibc
import SystemPackage

/// Hooks that still run although the program that started them was killed. Thawing beside them would be worthless: they
/// could lock their application a moment later.
struct Stragglers {
    let killGrace: Duration

    private static let interval: useconds_t = 10_000
    private static let patience = Duration.seconds(1)

    /// Ends what the record's unfinished runs have left; returns the paths of those hooks.
    func end(of record: CycleRecord) -> [FilePath] {
        record.runs.filter { $0.status == nil }.filter { run in
            guard let process = process(of: run, in: record) else { return false }
            end(process)
            return true
        }.map(\.path)
    }

    private func process(of run: CycleRecord.Run, in record: CycleRecord) -> ProcessEntry? {
        if let pid = run.pid {
            // The start time tells it from a stranger that has got the same pid since.
            return ProcessTable.entry(pid).flatMap { $0.startTime == run.startTime && $0.state != "Z" ? $0 : nil }
        }
        // Killed between the start of the hook and the note of its pid: its environment and its session tell.
        let wanted = [
            Array("FSFREEZE_CYCLE=\(record.id)".utf8),
            Array(HookEnvironment.hookKey.utf8) + (run.path.lastComponent?.bytes ?? []),
        ]
        return ProcessTable.all().first { entry in
            guard entry.session == entry.pid, entry.state != "Z",
                let environment = ProcessTable.environment(of: entry.pid)
            else { return false }
            return wanted.allSatisfy(environment.contains)
                && ProcessTable.arguments(of: entry.pid)?.contains(run.path.bytes) == true
        }
    }

    private func end(_ process: ProcessEntry) {
        let steps: [(signal: Int32, time: Duration)] = [(SIGTERM, killGrace), (SIGKILL, Self.patience)]
        for step in steps {
            let end = MonotonicTime.now() + step.time
            for member in members(of: process) { kill(member.pid, step.signal) }
            while .now() < end {
                if members(of: process).isEmpty { return }
                usleep(Self.interval)
            }
        }
    }

    private func members(of process: ProcessEntry) -> [ProcessEntry] {
        let table = ProcessTable.all()
        let below = Set(ProcessTable.descendants(of: [process.pid], in: table).map(\.pid))
        return table.filter { entry in
            guard entry.state != "Z" else { return false }
            if entry.pid == process.pid { return entry.startTime == process.startTime }
            return entry.session == process.pid || below.contains(entry.pid)
        }
    }
}
