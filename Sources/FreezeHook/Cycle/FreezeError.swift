// SPDX-License-Identifier: Apache-2.0

import FreezeHookBase

/// Why applications are not frozen. Only before `rolledBack` were hooks called.
package enum FreezeError: Error, Equatable, CustomStringConvertible {
    /// Another freeze or thaw has the lock and did not end in the time that a cycle of this kind waits.
    case busy(for: CycleKind)
    /// Another freeze has frozen this cycle while this one waited for the lock.
    case frozenMeanwhile(cycle: String)
    /// qemu-ga holds the filesystems of this cycle frozen: its thaw will come.
    case agentHoldsFilesystems(cycle: String)
    /// A rehearsal recovers nothing, and this cycle has not ended.
    case unfinished(CycleKind, cycle: String)
    /// A rehearsal would call hooks that write to filesystems which qemu-ga holds frozen.
    case filesystemsFrozen
    /// The freeze was given up, and the frozen hooks were thawed.
    case rolledBack(Rollback)

    package var description: String {
        switch self {
        case .busy(.backup): "another freeze or thaw is still running; try again when it has ended"
        case .busy(.rehearsal): "another freeze or thaw is running; try again when it has ended"
        case .frozenMeanwhile(let cycle): "the cycle \(cycle) was frozen meanwhile; thaw it first"
        case .agentHoldsFilesystems(let cycle):
            "the cycle \(cycle) is frozen and qemu-ga holds its filesystems; thaw it first"
        case .unfinished(let kind, let cycle):
            "the \(kind.noun) \(cycle) has not ended; 'fsfreeze-hook status' says what it waits for"
        case .filesystemsFrozen: "qemu-ga holds the filesystems frozen; try again when they are thawed"
        case .rolledBack(let rollback): "\(rollback)"
        }
    }
}
