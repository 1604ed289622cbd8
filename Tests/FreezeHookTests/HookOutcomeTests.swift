// SPDX-License-Identifier: Apache-2.0

import Glibc
import SystemPackage
import Testing

@testable import FreezeHook
@testable import FreezeHookAdmin
@testable import FreezeHookBase
@testable import FreezeHookRecipes

/// The end of a hook, as a number and in words.
@Suite struct HookOutcomeTests {
    /// An outcome, its number and its words.
    struct Case: CustomTestStringConvertible {
        var outcome: HookOutcome
        var status: Int32
        var failed: Bool
        var explanation: String?
        var testDescription: String { "\(status) \(explanation ?? "")" }

        init(
            _ ending: HookOutcome.Ending, _ status: Int32, failed: Bool, _ explanation: String?, limit: Duration? = nil,
            endedBy: Int32? = nil, interrupted: Bool = false, survivors: Int = 0
        ) {
            outcome = HookOutcome(ending: ending)
            outcome.exceededLimit = limit
            outcome.endedBy = endedBy
            outcome.interrupted = interrupted
            outcome.survivors = survivors
            self.status = status
            self.failed = failed
            self.explanation = explanation
        }
    }

    private static let stuck = "of its processes cannot be killed: they wait in the kernel and end when that lets them"

    static let cases = [
        Case(.exited(0), 0, failed: false, nil),
        Case(.exited(1), 1, failed: true, nil),
        Case(.exited(255), 255, failed: true, nil),
        Case(.exited(77), 77, failed: false, "nothing to do here"),
        Case(.exited(124), 124, failed: true, nil),
        Case(.signaled(SIGKILL), 137, failed: true, "killed by SIGKILL"),
        Case(.signaled(SIGSEGV), 139, failed: true, "killed by SIGSEGV"),
        Case(.signaled(42), 170, failed: true, "killed by signal 42"),
        Case(
            .signaled(SIGTERM), 143, failed: true, "time limit of 500ms exceeded, ended by SIGTERM",
            limit: .milliseconds(500), endedBy: SIGTERM),
        Case(
            .signaled(SIGKILL), 137, failed: true, "time limit of 30s exceeded, ended by SIGKILL", limit: .seconds(30),
            endedBy: SIGKILL),
        // A hook that was ended has no status that counts, not even 0.
        Case(
            .exited(0), 124, failed: true, "time limit of 30s exceeded, ended by SIGTERM", limit: .seconds(30),
            endedBy: SIGTERM),
        Case(
            .exited(77), 124, failed: true, "time limit of 30s exceeded, ended by SIGTERM", limit: .seconds(30),
            endedBy: SIGTERM),
        Case(.exited(0), 124, failed: true, "interrupted, ended by SIGTERM", endedBy: SIGTERM, interrupted: true),
        Case(.exited(77), 124, failed: true, "interrupted, ended by SIGTERM", endedBy: SIGTERM, interrupted: true),
        Case(
            .signaled(SIGTERM), 143, failed: true, "interrupted, ended by SIGTERM", endedBy: SIGTERM, interrupted: true),
        Case(.unknown, 124, failed: true, nil),
        Case(
            .unknown, 124, failed: true, "time limit of 2min exceeded, ended by SIGKILL, 3 \(stuck)",
            limit: .seconds(120), endedBy: SIGKILL, survivors: 3),
        Case(.notStarted(status: 127, reason: "it is no longer there"), 127, failed: true, "it is no longer there"),
        Case(.notStarted(status: 126, reason: "Permission denied"), 126, failed: true, "Permission denied"),
    ]

    @Test(arguments: cases)
    func `An outcome is a status and words`(example: Case) {
        #expect(example.outcome.status == example.status)
        #expect(example.outcome.failed == example.failed)
        #expect(example.outcome.explanation == example.explanation)
        #expect(example.outcome.wasSkipped == (example.status == 77))
    }

    @Test func `Only a hook that died of a signal has one`() {
        #expect(HookOutcome(ending: .signaled(SIGHUP)).signal == SIGHUP)
        for ending in [HookOutcome.Ending.exited(129), .unknown, .notStarted(status: 126, reason: "")] {
            #expect(HookOutcome(ending: ending).signal == nil)
        }
    }

    @Test(arguments: [(SIGHUP, "SIGHUP"), (SIGTERM, "SIGTERM"), (SIGSYS, "SIGSYS"), (0, "signal 0"), (-3, "signal -3")])
    func `A signal has a name`(signal: Int32, name: String) {
        #expect(signalName(signal) == name)
    }

    @Test func `The lines of a run are the stock script's`() {
        let hook = Hook(path: "/d/10-a\u{1b}", header: HookHeader(), settings: Settings())
        var outcome = HookOutcome(ending: .signaled(SIGKILL))
        outcome.duration = .milliseconds(192)
        let started = HookEvents.started(hook, .freeze)
        #expect(started.text == "execute /d/10-a\\x1b freeze")
        #expect(started.fields.map(\.value) == ["10-a\\x1b", "freeze"])
        let finished = HookEvents.finished(hook, .thaw, outcome)
        #expect(finished.text == "/d/10-a\\x1b finished with status=137 in 0.192 s (killed by SIGKILL)")
        #expect(finished.priority == .error && finished.messageID == .hookFailed)
        #expect(finished.fields.map(\.field) == [.hook, .action, .status, .duration])
        #expect(finished.fields.map(\.value) == ["10-a\\x1b", "thaw", "137", "192000"])
        #expect(HookEvents.finished(hook, .thaw, HookOutcome(ending: .exited(77))).messageID == .hookSkipped)
        #expect(HookEvents.finished(hook, .thaw, HookOutcome(ending: .exited(0))).messageID == .hookSucceeded)
        #expect(HookEvents.output(["a", "b"], of: hook, .freeze).map(\.text) == ["10-a\\x1b: a", "10-a\\x1b: b"])
    }
}
