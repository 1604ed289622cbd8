// SPDX-License-Identifier: Apache-2.0

import FreezeHookBase

/// How one run of a hook ended.
package struct HookOutcome: Equatable, Sendable {
    /// How the hook's process ended, or why there was none.
    package enum Ending: Equatable, Sendable {
        case exited(Int32)
        case signaled(Int32)
        /// It could not be started: the shell's status number (126 or 127) and why.
        case notStarted(status: Int32, reason: String)
        /// It was ended and still did not go, or its status was lost.
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

    /// How its process ended.
    package var ending: Ending
    /// The limit that it exceeded, when it was ended for that.
    package var exceededLimit: Duration?
    /// It was ended because this program was told to stop.
    package var interrupted = false
    /// The strongest signal that was needed to end it: SIGTERM or SIGKILL.
    package var endedBy: Int32?
    /// Processes of the hook that could not be killed.
    package var survivors = 0
    /// How long it took.
    package var duration = Duration.zero

    /// An ending of which nothing else is known.
    package init(ending: Ending) {
        self.ending = ending
    }

    /// The shell's number for the ending: the exit status, 128 and the signal, 124 for a status that a time limit made
    /// worthless.
    package var status: Int32 {
        switch ending {
        case .exited(let status): exceededLimit == nil && !interrupted ? status : 124
        case .signaled(let signal): 128 + signal
        case .notStarted(let status, _): status
        case .unknown: 124
        }
    }

    /// The signal that its process died of.
    package var signal: Int32? {
        if case .signaled(let signal) = ending { signal } else { nil }
    }

    /// Whether the hook had nothing to do.
    package var wasSkipped: Bool { status == HookStatus.nothingToDo }
    /// Whether it counts as a failure.
    package var failed: Bool { HookStatus.isFailure(status) }

    /// What the number alone does not say, in words; nil when there is nothing to add.
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
