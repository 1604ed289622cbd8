// SPDX-License-Identifier: Apache-2.0

/// An observer of a running cycle.
package protocol CycleObserver: AnyObject {
    /// Takes the events in their order.
    func write(_ events: [Event])

    /// Called some ten times a second while the cycle waits.
    func tick()
}
