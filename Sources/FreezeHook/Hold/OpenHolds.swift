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
        ClientNote.sweep(runDirectory, grace: settings.killGrace)
    }
}
