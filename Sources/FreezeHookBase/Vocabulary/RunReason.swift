// SPDX-License-Identifier: Apache-2.0

/// The reason of a hook's call, which it gets in `FSFREEZE_REASON`.
package enum RunReason: String, Sendable {
    case freeze
    case thaw
    /// The freeze failed: the frozen hooks are thawed.
    case rollback
    /// The thaw of an earlier cycle never came.
    case recover
    /// The hold limit passed before a thaw came.
    case expired
    /// A whole cycle without a frozen filesystem and without an image.
    case rehearsal
}
