// SPDX-License-Identifier: Apache-2.0

/// Why a hook is called, told to it in `FSFREEZE_REASON`.
package enum RunReason: String, Sendable {
    case freeze
    case thaw
    /// The freeze failed: what was frozen is thawed.
    case rollback
    /// The thaw of an earlier cycle never came.
    case recover
    /// The guard's time was over before the thaw came.
    case expired
    /// A whole cycle without a frozen filesystem and without an image.
    case rehearsal
}
