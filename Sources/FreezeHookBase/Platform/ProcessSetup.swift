// SPDX-License-Identifier: Apache-2.0

import CLinux
import Glibc

/// The state of this process that must not depend on its caller.
package enum ProcessSetup {
    /// The umask of the caller, which every program that this one starts gets back: it decides who can read what a hook
    /// writes. One with fewer rights (`SecureExecution`) lets nobody write it. The first use sets the umask of this process
    /// to 022.
    package static let callersUmask: mode_t = umask(0o022) | (SecureExecution.isOn ? 0o022 : 0)

    /// Opens missing descriptors 0 to 2, closes all others, stops the caller's timer, and sets umask and working
    /// directory; hooks inherit the directory.
    package static func run() {
        for descriptor: Int32 in 0...2 where fcntl(descriptor, F_GETFD) < 0 {
            // open(2) takes the lowest free number: a file opened later must not become a hook's standard output.
            _ = open("/dev/null", O_RDWR)
        }
        // Before this program opens anything: descriptors that the caller forgot must reach no hook, guard or holder.
        _ = clinux_close_from(3)
        // A timer of the caller's outlives execve(2), and its signal would end this process.
        clinux_alarm_after(0)
        DescriptorLimit.raise()
        _ = callersUmask
        _ = chdir("/")
    }
}
