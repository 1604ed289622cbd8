// SPDX-License-Identifier: Apache-2.0

import Glibc

/// The facts of processes in /proc.
package enum Processes {
    /// Whether the process runs; a zombie does not.
    package static func isAlive(_ pid: pid_t) -> Bool {
        guard let state = state(of: pid) else { return false }
        return state != "Z" && state != "X"
    }

    /// The letter of `/proc/PID/stat`, nil when there is no such process.
    package static func state(of pid: pid_t) -> Character? {
        statFields(of: pid).first?.first
    }

    /// The parent of a process; nil when there is no such process.
    package static func parent(of pid: pid_t) -> pid_t? {
        statFields(of: pid).dropFirst().first.flatMap { pid_t($0) }
    }

    /// The living processes whose environment or command line holds the text.
    package static func mentioning(_ text: String) -> [pid_t] { all().filter { mentions($0, text) } }

    /// The command lines of these processes.
    package static func commandLines(mentioning text: String) -> [String] {
        all().compactMap { pid in
            // First: a process that ends between the two looks has no command line any more.
            let line = commandLine(of: pid)
            return mentions(pid, text) ? line : nil
        }
    }

    private static func mentions(_ pid: pid_t, _ text: String) -> Bool {
        pid != getpid() && isAlive(pid)
            && ["environ", "cmdline"].contains { holds(Files.bytes(of: "/proc/\(pid)/\($0)") ?? [], text) }
    }

    /// The command line of a process as one text, for messages.
    package static func commandLine(of pid: pid_t) -> String {
        let bytes = Files.bytes(of: "/proc/\(pid)/cmdline") ?? []
        return String(decoding: bytes.map { $0 == 0 ? 0x20 : $0 }, as: UTF8.self)
    }

    /// The peak memory of the process, in bytes.
    package static func peakMemory(of pid: pid_t) throws -> Int {
        let lines = Files.text(of: "/proc/\(pid)/status").split(separator: "\n")
        guard let line = lines.first(where: { $0.hasPrefix("VmHWM:") }),
            let kilobytes = Int(line.filter(\.isNumber))
        else { throw TestFailure("no process \(pid)") }
        return kilobytes * 1024
    }

    /// The fields of `/proc/PID/stat` after the name; none when there is no such process.
    private static func statFields(of pid: pid_t) -> [Substring] {
        let text = Files.text(of: "/proc/\(pid)/stat")
        // The name in parentheses may hold any byte.
        guard let end = text.lastIndex(of: ")") else { return [] }
        return text[text.index(after: end)...].split(separator: " ")
    }

    private static func all() -> [pid_t] {
        ((try? Files.names(in: "/proc")) ?? []).compactMap { pid_t($0) }
    }

    private static func holds(_ bytes: [UInt8], _ wanted: String) -> Bool {
        let text = bytes.map { $0 == 0 ? CChar(0x0a) : CChar(bitPattern: $0) } + [0]
        return strstr(text, wanted) != nil
    }
}
