// SPDX-License-Identifier: Apache-2.0

/// A cycle whose applications are held. The end of this value closes the link, and the guard of a rehearsal then thaws.
package struct FrozenCycle {
    let id: String
    let link: GuardLink?
    /// The writer of its record; nil without a run directory.
    let recorder: CycleRecorder?
}
