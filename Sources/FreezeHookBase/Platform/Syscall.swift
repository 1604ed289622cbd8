// SPDX-License-Identifier: Apache-2.0

import Glibc
import SystemPackage

/// Calls the kernel, again when a signal has interrupted it; returns what it returned.
///
/// Throws the errno of a call that has returned a negative number. Not for `close`: Linux has closed the descriptor even
/// when it says EINTR.
// Inlinable: a generic function of another module is called through the runtime otherwise, which looks conformances up.
@discardableResult
@inlinable
package func call<Number: SignedInteger>(_ body: () -> Number) throws(Errno) -> Number {
    while true {
        let result = body()
        if result >= 0 { return result }
        // Read before anything else can change it.
        let error = Errno(rawValue: errno)
        if error != .interrupted { throw error }
    }
}
