import SystemPackage

/// Hooks that still run although the program that started them was killed. Thawing beside them would be worthless: they
/// could lock their application a moment later.
struct Stragglers {
    let killGrace: Duration

    /// Ends what the record's unfinished runs have left; returns the paths of those hooks.
    func end(of record: CycleRecord) -> [FilePath] {
        record.runs.filter { $0.end == nil }.filter { run in
            guard let process = run.process ?? unrecordedProcess(of: run, in: record) else { return false }
            let family = ProcessFamily(leader: process)
            if family.living().isEmpty { return false }
            family.end(grace: killGrace)
            return true
        }.map(\.path)
    }

    /// The process of a run that was begun by a program killed before it could note the pid: its environment, its
    /// arguments and its session tell.
    private func unrecordedProcess(of run: CycleRecord.Run, in record: CycleRecord) -> ProcessIdentity? {
        let wanted = [
            Array("FSFREEZE_CYCLE=\(record.id)".utf8),
            Array(HookEnvironment.hookKey.utf8) + run.path.nameBytes,
        ]
        let process = ProcessTable.all().first { entry in
            guard entry.session == entry.pid, entry.state != "Z",
                let environment = ProcessTable.environment(of: entry.pid)
            else { return false }
            return wanted.allSatisfy(environment.contains)
                && ProcessTable.arguments(of: entry.pid)?.contains(run.path.bytes) == true
        }
        return process.map { ProcessIdentity(pid: $0.pid, startTime: $0.startTime) }
    }
}
