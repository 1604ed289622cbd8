// SPDX-License-Identifier: Apache-2.0

import CLinux
import Glibc

/// The secure-execution mode of ld.so(8): the kernel has given the program rights that its caller lacks.
///
/// SELinux does so at a transition into another domain; so do the bits setuid and setgid, and capabilities of the file.
package enum SecureExecution {
    /// Whether the program runs in this mode. Then its caller may choose neither a path nor a variable.
    package static let isOn = clinux_is_secure_execution() != 0

    /// Removes the caller's environment. The C library ignores some variables in this mode; the shells and clients of
    /// hooks, which run in no such mode, would read the others.
    package static func dropEnvironment() {
        // clearenv(3) would set the list itself to NULL, and who walks through it would trap.
        environ.pointee = nil
    }
}
