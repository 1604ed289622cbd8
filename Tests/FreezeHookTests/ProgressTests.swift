// SPDX-License-Identifier: Apache-2.0

import Glibc
import SystemPackage
import TestSupport
import Testing

@testable import FreezeHook
@testable import FreezeHookAdmin
@testable import FreezeHookBase

/// The progress of a cycle.
@Suite struct ProgressTests {
    /// The lines of these events on a terminal that cannot redraw a line.
    private func shown(_ events: [Event]) throws -> String {
        let directory = try TemporaryDirectory()
        let path = try directory.makeFile("shown", "")
        let descriptor = open(path.string, O_WRONLY | O_CLOEXEC)
        try #require(descriptor >= 0)
        defer { close(descriptor) }
        let progress = Progress(Terminal(columns: nil), on: descriptor, hold: .seconds(2))
        progress.write(events)
        return Files.text(of: path.string)
    }

    private func hook(_ name: String) -> Hook {
        Hook(path: FilePath("/d/\(name)"), header: HookHeader(), settings: Settings())
    }

    private func outcome(_ status: Int32, _ duration: Duration = .milliseconds(192)) -> HookOutcome {
        var outcome = HookOutcome(ending: .exited(status))
        outcome.duration = duration
        return outcome
    }

    @Test func `A hook's run is shown by what it was, whatever its name and its lines say`() throws {
        // The hook's name looks like the beginning of a log line.
        let odd = hook("10-a: b")
        let events =
            [HookEvents.started(odd, .freeze)] + HookEvents.output(["10-a: b: x", "y"], of: odd, .freeze)
            + [HookEvents.finished(odd, .freeze, outcome(3))]
        #expect(
            try shown(events)
                == "/d/10-a: b finished with status=3 in 0.192 s\n    10-a: b: 10-a: b: x\n    10-a: b: y\n")
    }

    @Test func `What succeeded, had nothing to do, and what is held`() throws {
        let events = [
            HookEvents.started(hook("a"), .freeze), HookEvents.finished(hook("a"), .freeze, outcome(0)),
            HookEvents.started(hook("b"), .freeze), HookEvents.finished(hook("b"), .freeze, outcome(77)),
            Event(.notice, .frozen, "frozen"), Event(.warning, .holdForgotten, "a warning"),
            Event(.info, nil, "no word"),
        ]
        #expect(
            try shown(events) == "freeze a: 0.192 s\nfreeze b: nothing to do here\nhold for 2s\na warning\n")
    }

    @Test func `Of a failed hook the last lines of its own are shown`() throws {
        let first = hook("a")
        let lines = (1...9).map { "line \($0)" }
        let events =
            HookEvents.output(["of another"], of: hook("z"), .freeze) + [HookEvents.started(first, .thaw)]
            + HookEvents.output(lines, of: first, .thaw) + [HookEvents.finished(first, .thaw, outcome(1))]
        let text = try shown(events)
        #expect(text.split(separator: "\n").dropFirst() == (5...9).map { "    a: line \($0)" }[...])
    }
}
