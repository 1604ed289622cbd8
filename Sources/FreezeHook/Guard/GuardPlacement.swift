// SPDX-License-Identifier: Apache-2.0

import CSystemd
import FreezeHookBase
import Glibc

/// Puts the guard where neither a stop nor a kill of the agent's unit reaches it.
enum GuardPlacement {
    // systemd answers before it moves the process, which takes a while on a busy machine; a holder that the guard
    // starts before would stay behind.
    private static let patience = Duration.seconds(2)
    private static let interval: useconds_t = 1_000

    /// Moves the process into a scope of its own where systemd runs; returns the process's place in words.
    static func place(_ pid: pid_t, cycle: String) -> String {
        let ownSession = "a process of its own session"
        // sd_booted(3): this directory is there when systemd is the init of this machine.
        guard access("/run/systemd/system", F_OK) == 0 else { return ownSession }
        let unit = "fsfreeze-hook-\(cycle).scope"
        let result = csystemd_place_in_scope(unit, "Guard of the frozen applications (cycle \(cycle))", pid)
        guard result == 0 else { return "\(ownSession) (no systemd unit: \(String(cString: strerror(-result))))" }
        let end = MonotonicTime.now() + patience
        while .now() < end {
            if isPlaced(pid, in: unit) { return "the systemd unit \(unit)" }
            usleep(interval)
        }
        return "\(ownSession) (systemd has not moved it to \(unit))"
    }

    private static func isPlaced(_ pid: pid_t, in unit: String) -> Bool {
        guard let groups = ProcessTable.controlGroups(of: pid) else { return false }
        return groups.split(separator: "\n").contains { $0.hasSuffix("/\(unit)") }
    }
}
