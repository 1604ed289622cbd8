import Glibc
import SystemPackage

/// What is known of a cycle that has not ended: read back from its record by whoever has to end it.
package struct CycleRecord {
    /// One run of a hook.
    struct Run: Equatable {
        var action: HookAction
        var path: FilePath
        var pid: pid_t?
        var startTime: UInt64?
        /// nil as long as the hook runs, and for good when the program was killed meanwhile.
        var status: Int32?
    }

    /// The cycle's id, a UUID.
    package private(set) var id = ""
    private(set) var bootID = ""
    private(set) var runs: [Run] = []
    private(set) var drainers: [String] = []
    /// All freeze hooks have run; it is the thaw's turn.
    package private(set) var isFrozen = false

    /// The record that the bytes of its file tell; nil when not even the cycle's id is there. A torn last line, left by
    /// a kill, is passed over.
    init?(parsing bytes: [UInt8]) {
        guard let end = bytes.lastIndex(of: UInt8(ascii: "\n")) else { return nil }
        let complete = bytes[..<end]
        for line in complete.split(separator: UInt8(ascii: "\n")) {
            guard let entry = RecordEntry(line: line) else { continue }
            apply(entry)
        }
        if id.isEmpty { return nil }
    }

    /// The hooks that have to be thawed, in the order in which they were frozen.
    var hooksToThaw: [FilePath] {
        let thawed = Set(runs.filter { $0.action == .thaw && $0.status != nil }.map(\.path))
        var seen = thawed
        return runs.filter { $0.action == .freeze && seen.insert($0.path).inserted }.map(\.path)
    }

    private mutating func apply(_ entry: RecordEntry) {
        switch entry {
        case .cycle(let id, let bootID):
            self.id = id
            self.bootID = bootID
        case .start(let action, _, let path):
            runs.append(Run(action: action, path: path))
        case .process(let pid, let startTime):
            guard !runs.isEmpty else { return }
            runs[runs.count - 1].pid = pid
            runs[runs.count - 1].startTime = startTime
        case .end(let status):
            guard !runs.isEmpty else { return }
            runs[runs.count - 1].status = status
        case .drainer(let socket):
            drainers.append(socket)
        case .frozen:
            isFrozen = true
        }
    }
}

/// The file of the cycle record in the run directory: lines are only ever appended, each before what it tells of is
/// done, so that a kill at any moment leaves the whole list of what has to be thawed.
package final class CycleRecordFile {
    private static let name = "cycle"
    // A record of 100,000 hooks is far below this.
    private static let sizeLimit = 64 << 20

    private let runDirectory: RunDirectory
    private var descriptor: Int32
    /// Why an entry could not be written; the record is gone then, so that the thaw calls every hook of the directory.
    package private(set) var failure: Errno?

    /// Opens the record to append to it; a new cycle begins an empty one.
    init(in runDirectory: RunDirectory, isNew: Bool) {
        self.runDirectory = runDirectory
        descriptor = openat(
            runDirectory.descriptor, Self.name,
            O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_CLOEXEC | (isNew ? O_TRUNC : 0), 0o600)
        if descriptor < 0 { fail() }
    }

    deinit { if descriptor >= 0 { close(descriptor) } }

    /// The record of an unfinished cycle, if there is one.
    package static func read(in runDirectory: RunDirectory) -> CycleRecord? {
        let descriptor = openat(runDirectory.descriptor, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        return readAll(descriptor, limit: sizeLimit).flatMap { CycleRecord(parsing: $0) }
    }

    /// Appends an entry with one `write`.
    func append(_ entry: RecordEntry) {
        guard failure == nil else { return }
        let line = entry.line
        if write(descriptor, line, line.count) != line.count { fail() }
    }

    /// Removes the record: the cycle has ended.
    func remove() {
        unlinkat(runDirectory.descriptor, Self.name, 0)
    }

    private func fail() {
        failure = errno == 0 ? .noSpace : Errno(rawValue: errno)
        remove()
    }
}
