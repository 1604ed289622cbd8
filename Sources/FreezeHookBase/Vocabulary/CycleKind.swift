// SPDX-License-Identifier: Apache-2.0

/// The purpose of a cycle.
package enum CycleKind: Sendable {
    /// qemu-ga freezes the filesystems, and an image is taken.
    case backup
    /// No filesystem is frozen, and nothing is imaged.
    case rehearsal

    /// The word for such a cycle in messages.
    package var noun: String {
        switch self {
        case .backup: "cycle"
        case .rehearsal: "rehearsal"
        }
    }
}
