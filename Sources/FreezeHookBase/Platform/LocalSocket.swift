// SPDX-License-Identifier: Apache-2.0

import CLinux
import Glibc
import SystemPackage

/// Sequenced-packet sockets between the program's own processes (unix(7)), all close-on-exec.
package enum LocalSocket {
    /// A listening socket of this name in the run directory. Throws `addressInUse` when the name is taken.
    package static func listen(_ name: String, in directory: RunDirectory) throws(Errno) -> Descriptor {
        Descriptor(owning: try call { clinux_listen(directory.descriptor, name) })
    }

    /// The next connection to the listening socket of this number; waits for one. Throws the kernel's errno.
    package static func accept(_ listener: Int32) throws(Errno) -> Descriptor {
        Descriptor(owning: try call { clinux_accept(listener) })
    }

    /// A connection to the socket of this name in the run directory. Throws `connectionRefused` when nobody listens.
    package static func connect(to name: String, in directory: RunDirectory) throws(Errno) -> Descriptor {
        Descriptor(owning: try call { clinux_connect(directory.descriptor, name) })
    }

    /// Whether somebody listens at the socket of this name.
    package static func isServed(_ name: String, in directory: RunDirectory) -> Bool {
        do throws(Errno) {
            _ = try connect(to: name, in: directory)
            return true
        } catch {
            return false
        }
    }

    /// A connected pair of sockets. The caller takes over both numbers. Throws the kernel's errno.
    package static func pair() throws(Errno) -> (own: Int32, other: Int32) {
        var ends: [Int32] = [0, 0]
        try call { clinux_socket_pair(&ends) }
        return (ends[0], ends[1])
    }
}
