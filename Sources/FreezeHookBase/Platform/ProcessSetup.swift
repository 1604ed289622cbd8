// SPDX-License-Identifier: Apache-2.0

import CLinux
import Glibc

/// Makes this process the same whoever has started it.
package enum ProcessSetup {
    /// Fills the descriptors 0 to 2, closes all others, and sets the umask and the working directory that hooks inherit.
    package static func run() {
        for descriptor: Int32 in 0...2 where fcntl(descriptor, F_GETFD) < 0 {
            // The lowest free number is taken, so that a file opened later never becomes a hook's standard output.
            _ = open("/dev/null", O_RDWR)
        }
        // Before anything of ours is open: what the caller forgot must reach no hook and nothing that stays behind.
        _ = clinux_close_from(3)
        umask(0o022)
        _ = chdir("/")
    }
}
