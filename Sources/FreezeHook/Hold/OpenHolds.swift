// SPDX-License-Identifier: Apache-2.0

import FreezeHookBase
import Glibc

/// What the end of a window does with the sessions that were held in it.
struct OpenHolds {
    let runDirectory: RunDirectory
    let settings: Settings

    /// The sessions whose holder has died unseen; the moment is not known.
    func lost(in record: CycleRecord) -> [CycleRecord.Hold] {
        record.openHolds.filter { !$0.holder.isAlive }
    }

    /// Ends the sessions that are still open: their hooks forgot them. Returns their names, and why one has not ended well.
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

    /// Makes sure that nothing of any session is left: no client, no holder, no socket. Sessions of others, which no
    /// cycle knows of, stay as long as their holders live.
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
