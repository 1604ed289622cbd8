// SPDX-License-Identifier: Apache-2.0

/// The ending of a process, as waitpid(2) reports it.
package enum WaitStatus: Equatable, Sendable {
    case exited(Int32)
    case signaled(Int32)

    /// The status that `waitpid` has stored for a process that has ended.
    package init(_ status: Int32) {
        // WTERMSIG and WEXITSTATUS are macros over bits, which Swift does not import.
        let signal = status & 0x7f
        self = signal == 0 ? .exited((status >> 8) & 0xff) : .signaled(signal)
    }
}
