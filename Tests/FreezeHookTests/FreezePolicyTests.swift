// SPDX-License-Identifier: Apache-2.0

import Glibc
import SystemPackage
import Testing

@testable import FreezeHook
@testable import FreezeHookBase

/// The failures at which a freeze gives up, and the time that it may take.
@Suite struct FreezePolicyTests {
    private func policy(_ onFailure: FailurePolicy) -> FreezePolicy {
        var settings = Settings()
        settings.onFailure = onFailure
        return FreezePolicy(settings: settings)
    }

    private func hook(isRequired: Bool) -> Hook {
        var hook = Hook(path: "/d/10-a", header: HookHeader(), settings: Settings())
        hook.isRequired = isRequired
        return hook
    }

    @Test(arguments: [
        (FailurePolicy.continue, false, false), (.continue, true, true), (.abort, false, true), (.abort, true, true),
    ])
    func `A failure ends the freeze by the policy, or because the hook is required`(
        onFailure: FailurePolicy, isRequired: Bool, aborts: Bool
    ) {
        let hook = hook(isRequired: isRequired)
        #expect(policy(onFailure).aborts(hook) == aborts)
        let failure = policy(onFailure).failure(of: hook, .freeze, HookOutcome(ending: .exited(3)), stopRequest: nil)
        let expected = FreezeFailure.hookFailed(hook: "10-a", .freeze, status: 3, explanation: nil)
        #expect(failure == (aborts ? expected : nil))
    }

    @Test(arguments: [HookOutcome.Ending.exited(0), .exited(HookStatus.nothingToDo)])
    func `A hook that succeeds or has nothing to do never ends the freeze`(ending: HookOutcome.Ending) {
        let outcome = HookOutcome(ending: ending)
        for action in [HookAction.prepare, .freeze] {
            #expect(policy(.abort).failure(of: hook(isRequired: true), action, outcome, stopRequest: nil) == nil)
            // The request came after the hook's end; the next hook is not called.
            #expect(policy(.abort).failure(of: hook(isRequired: true), action, outcome, stopRequest: SIGTERM) == nil)
        }
    }

    @Test(arguments: [FailurePolicy.continue, .abort])
    func `A hook that a request to stop has ended ends the freeze under every policy`(onFailure: FailurePolicy) {
        var outcome = HookOutcome(ending: .signaled(SIGTERM))
        outcome.interrupted = true
        #expect(
            policy(onFailure).failure(of: hook(isRequired: false), .freeze, outcome, stopRequest: SIGINT)
                == .interrupted(signal: SIGINT))
    }

    @Test func `A hook that exceeds its time fails whatever its status is`() {
        var outcome = HookOutcome(ending: .exited(0))
        outcome.exceededLimit = .seconds(30)
        #expect(
            policy(.abort).failure(of: hook(isRequired: false), .prepare, outcome, stopRequest: nil)
                == .hookFailed(
                    hook: "10-a", .prepare, status: 124, explanation: "time limit of 30s exceeded"))
    }

    @Test func `The freeze keeps a quarter of its time for a rollback, and prepare has half of the rest`() {
        var settings = Settings()
        settings.freezeTimeout = .seconds(40)
        let policy = FreezePolicy(settings: settings)
        let begin = MonotonicTime(nanoseconds: 1_000)
        #expect(policy.prepareDeadline(from: begin) - begin == .seconds(15))
        #expect(policy.recoveryDeadline(from: begin) - begin == .seconds(20))
        #expect(policy.deadline(from: begin) - begin == .seconds(30))
        #expect(policy.rollbackDeadline(from: begin) - begin == .seconds(40))
    }

    /// A cause and its words.
    struct Words: CustomTestStringConvertible {
        var failure: FreezeFailure
        var text: String
        var messageID: MessageID
        var testDescription: String { text }
    }

    static let words = [
        Words(failure: .interrupted(signal: SIGTERM), text: "interrupted by SIGTERM", messageID: .interrupted),
        Words(
            failure: .hookRefused(hook: "10-a", reason: "is setuid or setgid"),
            text: "10-a: refused: is setuid or setgid", messageID: .hookRefused),
        Words(
            failure: .outOfTime(hook: "10-a", limit: .seconds(50)),
            text: "10-a: the time for the freeze (50s) is used up", messageID: .budgetExhausted),
        Words(
            failure: .hookFailed(hook: "10-a", .freeze, status: 3, explanation: nil),
            text: "10-a: finished with status=3", messageID: .hookFailed),
        Words(
            failure: .hookFailed(hook: "10-a", .prepare, status: 137, explanation: "killed by SIGKILL"),
            text: "10-a: prepare finished with status=137 (killed by SIGKILL)", messageID: .hookFailed),
    ]

    @Test(arguments: words) func `A cause names the hook and what happened`(_ words: Words) {
        #expect(words.failure.description == words.text)
        #expect(words.failure.messageID == words.messageID)
        #expect((words.failure.hook == nil) == (words.messageID == .interrupted))
    }

    @Test func `A rollback says why, when, and what is still frozen`() {
        var rollback = Rollback(
            cause: .hookFailed(hook: "10-a", .freeze, status: 3, explanation: nil), elapsed: .milliseconds(192),
            thawFailures: 0, cycle: nil)
        #expect(
            FreezeError.rolledBack(rollback).description
                == "10-a: finished with status=3 after 0.192 s; rolled back, nothing is frozen")
        rollback.thawFailures = 2
        #expect(
            FreezeError.rolledBack(rollback).description
                == "10-a: finished with status=3 after 0.192 s; rolled back, but 2 failed to thaw")
    }
}
