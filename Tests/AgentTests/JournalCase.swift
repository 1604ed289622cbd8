// SPDX-License-Identifier: Apache-2.0

import FreezeHook
import FreezeHookBase
import Glibc
import TestSupport
import Testing

/// A freeze and a thaw in which the program sends a certain entry to the journal.
struct JournalCase: Sendable, CustomTestStringConvertible {
    var id: MessageID
    /// A part of the entry's message.
    var message: String
    var configuration = ""
    /// The additions to a guest with the one hook 10-good.
    var prepare: @Sendable (AgentGuest) throws -> Void = { _ in }
    var duringTheFreeze: @Sendable (AgentGuest, Agent) throws -> Void = { _, _ in }
    var freezeFails = false
    var whileFrozen: @Sendable (AgentGuest) throws -> Void = { _ in }

    var testDescription: String { "\(id)" }

    static let all = ofHooks + ofCycles + ofTheSystem + ofTheWindow + ofVerdicts + ofThaws

    private static let ofHooks = [
        JournalCase(id: .hookStarted, message: "execute "),
        JournalCase(id: .hookSucceeded, message: "finished with status=0"),
        JournalCase(id: .hookSkipped, message: "nothing to do here") { try $0.hook("20-absent", "exit 77") },
        JournalCase(id: .hookFailed, message: "killed by SIGSEGV") { try $0.hook("20-dies", "kill -SEGV $$") },
        JournalCase(id: .hookRefused, message: "20-open refused: ") { guest in
            try guest.hook("20-open")
            chmod(guest.path("fsfreeze-hook.d/20-open"), 0o777)
        },
    ]

    private static let ofCycles = [
        JournalCase(id: .frozen, message: "frozen: "),
        JournalCase(
            id: .rolledBack, message: "rolled back", configuration: "on-failure = abort",
            prepare: { try $0.hook("20-bad", "exit 3") }, freezeFails: true),
        // Behind a freeze the entry has the verdict and the verdict's id.
        JournalCase(id: .thawed, message: "no cycle") { _ = try $0.startAgent().thaw() },
        JournalCase(id: .cycleRecovered, message: "unfinished cycle ") { _ = try $0.startAgent().freeze() },
    ]

    private static let ofTheSystem = [
        JournalCase(id: .configurationInvalid, message: "fsfreeze-hook.conf:3:", configuration: "on-failure = perhaps"),
        JournalCase(id: .logUnavailable, message: "log") { try Files.makeDirectory($0.path("log")) },
        JournalCase(id: .stateUnavailable, message: "/run/fsfreeze-hook") {
            try Files.write("", to: $0.namespace.path("/run/fsfreeze-hook"))
        },
        JournalCase(
            id: .interrupted, message: "SIGTERM",
            prepare: { try $0.hook("50-waits", "[ $1 = thaw ] || { touch waiting; sleep 300 & wait; }") },
            duringTheFreeze: { guest, agent in
                try wait(for: "the hook's start") { guest.exists("waiting") }
                for process in Processes.children(of: agent.process) { kill(process, SIGTERM) }
            }, freezeFails: true),
        JournalCase(
            id: .budgetExhausted, message: "the time for the freeze (800ms) is used up",
            configuration: "freeze-timeout = 800ms\nkill-grace = 100ms"
        ) { guest in
            try guest.hook("50-slow", "[ $1 = thaw ] || sleep 300")
            try guest.hook("60-late")
        },
    ]

    private static let ofTheWindow = [
        JournalCase(id: .guardStarted, message: "guard: "),
        JournalCase(
            id: .guardFailed, message: "guard had been killed",
            whileFrozen: { guest in
                let guards = guest.processes(" guard ")
                #expect(guards.count == 1)
                for process in guards { kill(process, SIGKILL) }
                try wait(for: "the guard's end") { !guards.contains(where: Processes.isAlive) }
            }),
        JournalCase(
            id: .windowExpired, message: "no thaw came within 150ms", configuration: "hold-limit = 150ms",
            whileFrozen: waitForTheGuard),
        JournalCase(
            id: .thawCameLate, message: "after the guard had ended the window", configuration: "hold-limit = 150ms",
            whileFrozen: waitForTheGuard),
        JournalCase(
            id: .holdLost, message: "hold session was lost", prepare: { try addHolder(to: $0, thaw: "release") },
            whileFrozen: { guest in
                let client = try #require(guest.processes("sed -n s/314//").first)
                kill(client, SIGKILL)
                try wait(for: "the client's end") { guest.processes("sed -n s/314//").isEmpty }
            }),
        JournalCase(id: .holdForgotten, message: "hold session was still open") { try addHolder(to: $0, thaw: "") },
    ]

    private static let ofVerdicts = [
        JournalCase(id: .verdictApplicationConsistent, message: ": application-consistent"),
        JournalCase(id: .verdictNativeCopy, message: ": native-copy, as far as 10-good tells: 20-copies") {
            try $0.hook("20-copies", header: "guarantee = native-copy")
        },
        JournalCase(id: .verdictCrashConsistent, message: ": crash-consistent: 20-bad finished with status=3") {
            try $0.hook("20-bad", "[ $1 = thaw ] || exit 3")
        },
        JournalCase(id: .verdictUnsupported, message: ": unsupported: 20-impossible") {
            try $0.hook("20-impossible", header: "guarantee = unsupported")
        },
        JournalCase(id: .rehearsed, message: "(rehearsal ") { guest in
            let result = try guest.namespace.run([guest.hookPath, "rehearse", "--hold", "10ms"])
            #expect(result.status == 0, "\(result.stderr)")
        },
    ]

    private static let ofThaws = [
        JournalCase(id: .mayBeHeld, message: "20-dies may still be held: the guard tries again") {
            try $0.hook("20-dies", "[ $1 = freeze ] || kill -KILL $$")
        }
    ]

    @Sendable private static func waitForTheGuard(_ guest: AgentGuest) throws {
        try wait(for: "the guard's thaw") { guest.calls.contains("10-good thaw expired") }
        try wait(for: "the guard's end") { guest.processes(" guard ").isEmpty }
    }

    /// Adds a hook that keeps a client's session from freeze to thaw.
    private static func addHolder(to guest: AgentGuest, thaw command: String) throws {
        try guest.hook(
            "20-holder",
            """
            case $1 in
            freeze) '\(guest.hookPath)' hold session --run-dir "$FSFREEZE_RUN_DIR" --ready '^held$' -- \
                sh -c 'echo held; exec sed -n s/314//' ;;
            thaw) \(command.isEmpty ? ":" : "'\(guest.hookPath)' \(command) session --run-dir \"$FSFREEZE_RUN_DIR\"") ;;
            esac
            """)
    }
}

extension AgentGuest {
    /// The living processes inside whose command line holds the text.
    func processes(_ text: String) -> [pid_t] {
        Processes.descendants(of: namespace.firstProcess).filter {
            Processes.isAlive($0) && Processes.commandLine(of: $0).contains(text)
        }
    }
}
