// SPDX-License-Identifier: Apache-2.0

/// Waiting that somebody looks at.
enum ObservedWait {
    /// The time between two ticks of an observer.
    static let interval = Duration.milliseconds(100)
}
