// SPDX-License-Identifier: Apache-2.0

import FreezeHook
import FreezeHookBase
import Glibc

/// Shows what a cycle is doing: a line that is written over on a terminal, lines one after the other elsewhere.
package final class Progress: CycleObserver {
    private let terminal: Terminal
    private let descriptor: Int32
    private let hold: Duration
    /// What is waited for, in words, and since when.
    private var current: (words: String, since: MonotonicTime)?
    private var isHolding = false
    /// The last lines that the running hook has printed.
    private var output: [String] = []
    private var lineIsDrawn = false

    // Enough to see what a failing hook complains of; the log has all of it.
    private static let outputLimit = 5

    /// Progress on the descriptor, which leads to the terminal, of a cycle that holds for this long.
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
        // The last column is left free: some terminals go to the next line as soon as it is written.
        let cut = TextWidth.cut(
            line, to: (terminal.columns ?? Terminal.defaultColumns) - 1, ellipsis: terminal.ellipsis)
        put("\r\(cut)\u{1b}[K")
        lineIsDrawn = true
    }

    /// Takes the line away that was last written over.
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
            // The verdict is shown by whoever shows the result.
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
        // Nobody who looks on is no reason to end a cycle.
        let bytes = Array(text.utf8)
        _ = Glibc.write(descriptor, bytes, bytes.count)
    }

    private static func tenths(_ duration: Duration) -> String {
        let tenths = duration.nanoseconds / 100_000_000
        return "\(tenths / 10).\(tenths % 10)"
    }
}
