// SPDX-License-Identifier: Apache-2.0

/// The action that a hook is called with, its one argument.
package enum HookAction: String, Sendable {
    /// Long work that needs no lock; only for hooks that declare it.
    case prepare
    case freeze
    case thaw
}
