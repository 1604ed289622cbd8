// SPDX-License-Identifier: Apache-2.0

/// Waits of a cycle with an observer.
enum ObservedWait {
    /// The time between two ticks of an observer.
    static let interval = Duration.milliseconds(100)
}
