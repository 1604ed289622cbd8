// SPDX-License-Identifier: Apache-2.0

/// The word a hook is called with.
package enum HookAction: String, Sendable {
    /// The long work that needs no lock; only for hooks that declare it.
    case prepare
    case freeze
    case thaw
}
