// SPDX-License-Identifier: Apache-2.0

/// The promise of a hook for an image taken while it holds its application; the weakest comes first.
package enum Guarantee: String, CaseIterable, Comparable, Sendable {
    case unsupported
    case crashConsistent = "crash-consistent"
    case nativeCopy = "native-copy"
    case applicationConsistent = "application-consistent"

    package static func < (left: Self, right: Self) -> Bool {
        let order = allCases
        return (order.firstIndex(of: left) ?? 0) < (order.firstIndex(of: right) ?? 0)
    }
}
