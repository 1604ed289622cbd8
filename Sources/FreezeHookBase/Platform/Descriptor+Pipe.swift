// SPDX-License-Identifier: Apache-2.0

import CLinux
import SystemPackage

extension Descriptor {
    /// A pipe (pipe(7)), both ends close-on-exec. The caller takes over both numbers. Throws the kernel's errno.
    package static func pipe() throws(Errno) -> (readEnd: Int32, writeEnd: Int32) {
        var ends: [Int32] = [0, 0]
        try call { clinux_pipe(&ends) }
        return (ends[0], ends[1])
    }
}
