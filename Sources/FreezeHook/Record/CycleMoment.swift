// SPDX-License-Identifier: Apache-2.0

/// The moments of a cycle.
package enum CycleMoment: String, Sendable {
    case begun
    /// The first freeze hook is about to be called; `prepare` lies before it.
    case windowOpened = "window-opened"
    /// All freeze hooks have run.
    case frozen
    /// The hold limit has passed: the guard begins to thaw.
    case expired
    /// The thaw begins.
    case thawing
    /// The last thaw hook has ended.
    case thawed
    /// The cycle is over, and only its books and its log are still to be written.
    case ended
}
