// SPDX-License-Identifier: Apache-2.0

import FreezeHookBase

/// What processes of the program have left in the run directory that were killed, or could not remove it.
struct DeadFiles {
    let runDirectory: RunDirectory
    let settings: Settings

    // A listener that does not answer within this time is alive.
    private static let patience = Duration.milliseconds(100)

    /// Removes the sockets without a listener, and the files without a writer. Only with the lock: between bind(2) and
    /// listen(2) the socket of a process that another run starts looks as a dead one does.
    ///
    /// - Parameter windowIsOpen: whether a guard may be making its socket now.
    func sweep(windowIsOpen: Bool) {
        guard runDirectory.hasLock else { return }
        OpenHolds(runDirectory: runDirectory, settings: settings).sweepKilledHolders()
        for name in runDirectory.names() {
            switch name {
            case CycleRecorder.newName:
                runDirectory.remove(name)
            case MarkerWriter.lockName:
                // Who takes a lock removes it in the end.
                runDirectory.withLock(named: name, within: .zero) {}
            case _ where name.hasPrefix(Drainer.socketPrefix) || !windowIsOpen && name.hasPrefix(Guard.socketPrefix):
                if LocalSocket.isGone(name, in: runDirectory, within: Self.patience) { runDirectory.remove(name) }
            default:
                break
            }
        }
    }
}
