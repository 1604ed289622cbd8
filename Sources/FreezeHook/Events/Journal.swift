// SPDX-License-Identifier: Apache-2.0

import CLinux
import CSystemd
import Glibc

/// The systemd journal, by libsystemd. A machine without one is no error.
package final class Journal {
    private let cycle: String?
    // A journal that has stopped reading blocks its senders once its socket is full. It gets this time once in a run;
    // after that nothing is sent.
    private static let patienceMilliseconds = 100
    private var isBlocked = false

    /// The journal, whose entries carry the cycle's id when there is one; nil where none runs.
    package init?(cycle: String?) {
        guard access("/run/systemd/journal/socket", F_OK) == 0 else { return nil }
        self.cycle = cycle
    }

    /// Sends the events in their order; one that the journal does not take is lost.
    package func write(_ events: [Event]) {
        guard !isBlocked else { return }
        clinux_alarm_after(Self.patienceMilliseconds)
        for event in events where !isBlocked {
            isBlocked = send(event) == -EINTR
        }
        clinux_alarm_after(0)
    }

    /// Sends one event; returns libsystemd's 0 or negative errno.
    private func send(_ event: Event) -> Int32 {
        var fields = [
            "MESSAGE=\(event.text)", "PRIORITY=\(event.priority.rawValue)", "SYSLOG_IDENTIFIER=fsfreeze-hook",
        ]
        if let id = event.messageID { fields.append("MESSAGE_ID=\(id.rawValue)") }
        if let cycle { fields.append("\(Event.Field.cycle.rawValue)=\(cycle)") }
        fields += event.fields.map { "\($0.field.rawValue)=\($0.value)" }
        // One buffer for all fields: each must live until the call returns.
        var bytes: [UInt8] = []
        var lengths: [Int] = []
        for field in fields {
            bytes += field.utf8
            lengths.append(field.utf8.count)
        }
        return bytes.withUnsafeMutableBytes { buffer in
            var start = 0
            var parts: [iovec] = []
            for length in lengths {
                parts.append(iovec(iov_base: buffer.baseAddress?.advanced(by: start), iov_len: length))
                start += length
            }
            return csystemd_journal_send(parts, Int32(parts.count))
        }
    }
}
