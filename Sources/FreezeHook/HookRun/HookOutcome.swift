// SPDX-License-Identifier: Apache-2.0

import FreezeHookBase

/// The outcome of one run of a hook.
package struct HookOutcome: Equatable, Sendable {
    /// How the hook's process ended, or why there was none.
    package enum Ending: Equatable, Sendable {
        case exited(Int32)
        case signaled(Int32)
        /// The hook could not be started: the shell's status number (126 or 127) and why.
        case notStarted(status: Int32, reason: String)
        /// The process has survived SIGKILL, or its status was lost.
        case unknown

        /// The ending of a process that was started.
        init(_ status: WaitStatus) {
            self =
                switch status {
                case .exited(let status): .exited(status)
                case .signaled(let signal): .signaled(signal)
                }
        }
    }

    /// The ending of the hook's process.
    package var ending: Ending
    /// The time limit for which the hook was ended; nil when it kept the limit.
    package var exceededLimit: Duration?
    /// Whether the hook was ended because a signal asked this program to stop.
    package var interrupted = false
    /// The strongest signal that was sent to end the hook: SIGTERM or SIGKILL; nil when it ended by itself.
    package var endedBy: Int32?
    /// The number of the hook's processes that could not be killed.
    package var survivors = 0
    /// The time from start to end.
    package var duration = Duration.zero
    /// Whether the hook could not be started for a cause that may pass by itself.
    package var mayStartLater = false

    /// An outcome of which only the ending is known.
    package init(ending: Ending) {
        self.ending = ending
    }

    /// The shell's number for the ending: the exit status, 128 plus the signal, or 124 for an unknown ending and for an
    /// exit status after a time limit or an interruption.
    package var status: Int32 {
        switch ending {
        case .exited(let status): exceededLimit == nil && !interrupted ? status : 124
        case .signaled(let signal): 128 + signal
        case .notStarted(let status, _): status
        case .unknown: 124
        }
    }

    /// The signal that killed the hook's process.
    package var signal: Int32? {
        if case .signaled(let signal) = ending { signal } else { nil }
    }

    /// Whether the hook had nothing to do.
    package var wasSkipped: Bool { status == HookStatus.nothingToDo }
    /// Whether the hook's process came to no end of its own: it was not started, exceeded its limit or was killed.
    var hasNoAnswer: Bool {
        switch ending {
        case .exited: exceededLimit != nil
        case .signaled, .notStarted, .unknown: true
        }
    }
    /// Whether the run counts as a failure.
    package var failed: Bool { HookStatus.isFailure(status) }

    /// The explanation of the status number, in words; nil when there is none.
    package var explanation: String? {
        var words: [String] = []
        if let exceededLimit { words.append("time limit of \(DurationText.format(exceededLimit)) exceeded") }
        if interrupted { words.append("interrupted") }
        if let endedBy {
            words.append("ended by \(signalName(endedBy))")
        } else if case .signaled(let signal) = ending {
            words.append("killed by \(signalName(signal))")
        }
        if case .notStarted(_, let reason) = ending { words.append(reason) }
        if survivors > 0 {
            words.append(
                "\(survivors) of its processes cannot be killed: they wait in the kernel and end when that lets them")
        }
        if wasSkipped { words.append("nothing to do here") }
        return words.isEmpty ? nil : words.joined(separator: ", ")
    }
}
