// SPDX-License-Identifier: Apache-2.0

/// A cycle whose applications are held. The guard is told when this goes, and ends a rehearsal then.
package struct FrozenCycle {
    let id: String
    let link: GuardLink?
}
