// SPDX-License-Identifier: Apache-2.0

import Glibc
import SystemPackage

/// Calls the kernel, and again after EINTR; returns the call's result.
///
/// Throws errno when the result is negative. Not for close(2): Linux has closed the descriptor even after EINTR.
// Inlinable: a generic function of another module is called through the runtime otherwise, which looks conformances up.
@discardableResult
@inlinable
package func call<Number: SignedInteger>(_ body: () -> Number) throws(Errno) -> Number {
    while true {
        let result = body()
        if result >= 0 { return result }
        // errno is read before any other call can change it.
        let error = Errno(rawValue: errno)
        if error != .interrupted { throw error }
    }
}
