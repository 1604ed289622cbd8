// SPDX-License-Identifier: Apache-2.0

import FreezeHookBase
import Glibc

/// The sessions of a window, at the window's end.
struct OpenHolds {
    let runDirectory: RunDirectory
    let settings: Settings

    /// The open sessions whose holder was killed, at an unknown moment.
    func lost(in record: CycleRecord) -> [CycleRecord.Hold] {
        record.openHolds.filter { !$0.holder.isAlive }
    }

    /// Releases the sessions that hooks forgot. Returns the names, and why a session has not ended well.
    func endForgotten(in record: CycleRecord) -> [(name: String, error: HoldError?)] {
        record.openHolds.filter { $0.holder.isAlive }.map { hold in
            do throws(HoldError) {
                try HoldClient(runDirectory).release(hold.name, within: settings.hookTimeout) { _ in }
                return (hold.name, nil)
            } catch {
                return (hold.name, error)
            }
        }
    }

    /// Ends the clients and holders of the record's sessions and removes their sockets. Sessions outside of the record
    /// stay as long as their holders live.
    func sweep(_ record: CycleRecord) {
        for hold in record.holds {
            for process in [hold.client, hold.holder].compactMap({ $0 }) where process.isAlive {
                ProcessFamily(leader: process).end(grace: settings.killGrace)
            }
            let another = record.holds.contains {
                $0.name == hold.name && $0.holder != hold.holder && $0.holder.isAlive
            }
            if !another { runDirectory.remove(Holder.socketName(of: hold.name)) }
        }
    }

    /// Ends the clients of killed holders, and removes what these have left in the run directory, whatever the record
    /// says.
    func sweepKilledHolders() {
        ClientNote.sweep(runDirectory, grace: settings.killGrace)
        for name in runDirectory.names() where name.hasPrefix(Holder.socketPrefix) {
            // Who takes a lock removes it in the end.
            if Holder.isLockName(name) {
                runDirectory.withLock(named: name, within: .zero) {}
                continue
            }
            let hold = String(name.dropFirst(Holder.socketPrefix.count))
            // Between bind(2) and listen(2) a new socket looks as a dead one does.
            runDirectory.withLock(named: Holder.lockName(of: hold)) {
                if LocalSocket.isGone(name, in: runDirectory) { runDirectory.remove(name) }
            }
        }
    }
}
