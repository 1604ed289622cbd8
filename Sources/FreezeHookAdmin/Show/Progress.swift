// SPDX-License-Identifier: Apache-2.0

import FreezeHook
import FreezeHookBase
import Glibc

/// The progress of a cycle: one line that is redrawn on a terminal, a line for each step elsewhere.
package final class Progress: CycleObserver {
    private let terminal: Terminal
    private let descriptor: Int32
    private let hold: Duration
    /// The step in progress and its start.
    private var current: (words: String, since: MonotonicTime)?
    private var isHolding = false
    /// The last lines that the running hook has printed.
    private var output: [String] = []
    private var lineIsDrawn = false

    // A failing hook mostly says why in its last lines; the log has all of them.
    private static let outputLimit = 5

    /// Progress on a terminal and its descriptor, for a cycle that holds for this long.
    package init(_ terminal: Terminal, on descriptor: Int32, hold: Duration) {
        self.terminal = terminal
        self.descriptor = descriptor
        self.hold = hold
    }

    package func write(_ events: [Event]) {
        for event in events { show(event) }
    }

    package func tick() {
        guard terminal.canRedraw, let current else { return }
        let elapsed = Self.tenths(.now() - current.since)
        let limit = isHolding ? " of \(DurationText.format(hold))" : ""
        let line = "\(current.words) \(elapsed) s\(limit)"
        // The last column stays free: some terminals wrap as soon as it is written.
        let cut = TextWidth.cut(
            line, to: (terminal.columns ?? Terminal.defaultColumns) - 1, ellipsis: terminal.ellipsis)
        put("\r\(cut)\u{1b}[K")
        lineIsDrawn = true
    }

    /// Clears the redrawn line.
    package func finish() {
        current = nil
        if lineIsDrawn { put("\r\u{1b}[K") }
        lineIsDrawn = false
    }

    private func show(_ event: Event) {
        if let step = event.step { return show(step, event) }
        switch event.messageID {
        case .frozen:
            isHolding = true
            current = ("hold", .now())
            if terminal.canRedraw { tick() } else { say("hold for \(DurationText.format(hold))") }
        case .rehearsed:
            // The result that is shown next has the verdict.
            finish()
        default:
            if event.priority.rawValue <= Event.Priority.warning.rawValue { say(event.text, .yellow) }
        }
    }

    private func show(_ step: Event.HookStep, _ event: Event) {
        let call = "\(step.action.rawValue) \(step.hook)"
        switch step.kind {
        case .started:
            isHolding = false
            output = []
            current = (call, .now())
            tick()
        case .printed(let line):
            output = (output + [line]).suffix(Self.outputLimit)
        case .succeeded(let duration):
            if !terminal.canRedraw { say("\(call): \(DurationText.seconds(duration)) s") }
        case .skipped:
            if !terminal.canRedraw { say("\(call): nothing to do here") }
        case .failed:
            say(event.text, .red)
            for line in output { say("    \(step.hook): \(line)") }
        }
    }

    private func say(_ text: String, _ style: TextStyle? = nil) {
        let lines = TextWrap.lines(of: text, columns: terminal.columns, indent: 4)
        let start = lineIsDrawn ? "\r\u{1b}[K" : ""
        lineIsDrawn = false
        put(start + lines.map { terminal.styled($0, style) + "\n" }.joined())
    }

    private func put(_ text: String) {
        // A closed terminal must not end the cycle.
        let bytes = Array(text.utf8)
        _ = Glibc.write(descriptor, bytes, bytes.count)
    }

    private static func tenths(_ duration: Duration) -> String {
        let tenths = duration.nanoseconds / 100_000_000
        return "\(tenths / 10).\(tenths % 10)"
    }
}
