// SPDX-License-Identifier: Apache-2.0

import CLinux
import Glibc
import SystemPackage

/// The signals that this process handles, read from a descriptor (signalfd(2)); no handler ever runs. Where none is
/// free, the signals are asked for at short intervals.
package final class SignalDescriptor {
    private let file: Descriptor?
    /// The first signal that asked this process to stop (SIGTERM, SIGINT, SIGHUP, SIGQUIT); nil when none has come.
    package private(set) var stopRequest: Int32?

    private static let signals: [Int32] = [SIGCHLD, SIGTERM, SIGINT, SIGHUP, SIGQUIT]
    // Short beside any hook's time.
    private static let interval = Duration.milliseconds(5)

    /// Blocks the signals and opens the descriptor.
    package init() {
        // An inherited SIG_IGN for SIGCHLD drops every exit status (wait4(2) fails with ECHILD).
        signal(SIGCHLD, SIG_DFL)
        signal(SIGTERM, SIG_DFL)
        signal(SIGPIPE, SIG_IGN)
        // At the caller's RLIMIT_FSIZE a write must fail with EFBIG and not end a freeze.
        signal(SIGXFSZ, SIG_IGN)
        // sigprocmask(2) comes first, and needs no descriptor.
        let number = clinux_signal_descriptor(Self.signals, Self.signals.count)
        file = number >= 0 ? Descriptor(owning: number) : nil
    }

    /// An entry for poll(2), ready while a signal waits; without a descriptor it never is.
    package var polled: pollfd { pollfd(file.number) }

    /// The moment until which a wait for this entry may last at most; nil sets no limit.
    package func latest(_ moment: MonotonicTime?) -> MonotonicTime? {
        if file.number != nil { return moment }
        let next = MonotonicTime.now() + Self.interval
        return moment.map { min($0, next) } ?? next
    }

    /// Whether signals are to be taken after a wait for this entry.
    package func isDue(_ polled: pollfd) -> Bool { file.number == nil || polled.isReady }

    /// Takes the waiting signals off the descriptor; true when a child has changed its state.
    package func take() -> Bool {
        var childChanged = false
        while true {
            switch file.number.map(clinux_read_signal) ?? clinux_take_signal(Self.signals, Self.signals.count) {
            case 0: return childChanged
            case SIGCHLD: childChanged = true
            case let signal: stopRequest = stopRequest ?? signal
            }
        }
    }
}

/// The name of a signal: `SIGKILL`, or `signal 42` for one without a name.
package func signalName(_ signal: Int32) -> String {
    guard signal > 0, let name = sigabbrev[signal] else { return "signal \(signal)" }
    return "SIG\(name)"
}

// glibc's sigabbrev_np came with 2.32 and Ubuntu 20.04 has 2.31.
private let sigabbrev: [Int32: String] = [
    SIGHUP: "HUP", SIGINT: "INT", SIGQUIT: "QUIT", SIGILL: "ILL", SIGTRAP: "TRAP", SIGABRT: "ABRT", SIGBUS: "BUS",
    SIGFPE: "FPE", SIGKILL: "KILL", SIGUSR1: "USR1", SIGSEGV: "SEGV", SIGUSR2: "USR2", SIGPIPE: "PIPE",
    SIGALRM: "ALRM", SIGTERM: "TERM", SIGXCPU: "XCPU", SIGXFSZ: "XFSZ", SIGVTALRM: "VTALRM", SIGPROF: "PROF",
    SIGSYS: "SYS",
]
