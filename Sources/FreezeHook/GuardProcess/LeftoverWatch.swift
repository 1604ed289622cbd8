// SPDX-License-Identifier: Apache-2.0

import CLinux
import FreezeHookBase
import Glibc
import SystemPackage

/// Notes in the record when a process ends that a hook has left running, before the hook's thaw.
///
/// The thaw itself sees that the process has gone, and not when. A kernel before 5.3 shows no end to another process than
/// its parent, and the moment stays unknown.
final class LeftoverWatch {
    private final class Watched {
        let leftover: CycleRecord.Leftover
        let descriptor: Descriptor

        init(_ leftover: CycleRecord.Leftover, _ descriptor: consuming Descriptor) {
            self.leftover = leftover
            self.descriptor = descriptor
        }
    }

    private let cycle: String
    private let runDirectory: RunDirectory
    private var watched: [Watched] = []

    // A hook may leave any number of processes; those of one application end together.
    private static let limit = 256

    /// A watch over what the hooks of the cycle left running; `begin` reads the record.
    init(cycle: String, runDirectory: RunDirectory) {
        self.cycle = cycle
        self.runDirectory = runDirectory
    }

    /// Begins to watch: the freeze has recorded what is left.
    func begin() {
        guard let record = CycleRecorder.read(in: runDirectory), record.id == cycle else { return }
        var ended: [CycleRecord.Leftover] = []
        for leftover in record.leftovers.prefix(Self.limit) {
            let number = clinux_process_descriptor(leftover.process.pid)
            // Behind the descriptor: another process may have the id by now.
            let isAlive = leftover.process.isAlive
            if !isAlive { ended.append(leftover) }
            guard number >= 0 else { continue }
            let descriptor = Descriptor(owning: number)
            if isAlive { watched.append(Watched(leftover, descriptor)) }
        }
        // Since the end of the freeze, which is a moment ago.
        note(ended)
    }

    /// The entries for poll(2).
    var polled: [pollfd] { watched.map { pollfd($0.descriptor.number) } }

    /// Notes the ends that these entries show; they are those of `polled`.
    func note(_ polled: ArraySlice<pollfd>) {
        let ended = zip(watched, polled).filter(\.1.isReady).map(\.0)
        if ended.isEmpty { return }
        watched.removeAll { one in ended.contains { $0 === one } }
        note(ended.map(\.leftover))
    }

    private func note(_ ended: [CycleRecord.Leftover]) {
        if ended.isEmpty { return }
        let time = WallTime.now()
        guard let record = CycleRecorder.read(in: runDirectory), record.id == cycle else { return }
        let recorder = CycleRecorder(in: runDirectory, .existing)
        for leftover in ended where record.leftoversBeforeThaw(of: leftover.path).contains(leftover) {
            recorder.append(.leftEnded(leftover.process, time: time))
        }
    }
}
