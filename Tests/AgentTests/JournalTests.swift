// SPDX-License-Identifier: Apache-2.0

import Foundation
import FreezeHook
import FreezeHookBase
import Glibc
import TestSupport
import Testing

/// The entries that a real journald stores of freezes and thaws of a real qemu-ga.
@Suite(.timeLimit(.minutes(5))) struct JournalTests {
    private static let fields = [
        "MESSAGE", "PRIORITY", "SYSLOG_IDENTIFIER", "MESSAGE_ID", "FSFREEZE_CYCLE", "FSFREEZE_HOOK", "FSFREEZE_ACTION",
        "FSFREEZE_STATUS", "FSFREEZE_DURATION_USEC", "FSFREEZE_VERDICT",
    ]

    /// The fields that the program sets, with the duration taken out.
    private func comparable(_ entry: [String: String]) -> [String: String] {
        entry.filter { Self.fields.contains($0.key) && $0.key != "FSFREEZE_DURATION_USEC" }
    }

    // The message ends with a time that differs from run to run.
    private func withoutTime(_ message: String) -> String {
        message.replacing(/in [0-9]+\.[0-9]+ s/, with: "in TIME s")
    }

    @Test func `Every entry of a freeze has all its fields`() throws {
        let guest = try AgentGuest()
        let journal = try Journal(in: guest.namespace)
        try guest.hook("10-good", "sleep 0.1; echo \"words of $1\"")
        try guest.hook("20-absent", "exit 77")
        try guest.hook("30-bad", "exit 3")
        let agent = try guest.startAgent()
        #expect(try agent.freeze().number == 0)
        let cycle = try #require(guest.callsWithCycle.first?.cycle)

        let entries = try journal.entries(until: "frozen:")
        func wanted(
            _ message: String, _ priority: Int, _ id: MessageID?, hook: String? = nil, status: Int? = nil
        ) -> [String: String] {
            var fields = [
                "MESSAGE": message, "PRIORITY": "\(priority)", "SYSLOG_IDENTIFIER": "fsfreeze-hook",
                "FSFREEZE_CYCLE": cycle,
            ]
            fields["MESSAGE_ID"] = id?.rawValue
            fields["FSFREEZE_HOOK"] = hook
            fields["FSFREEZE_ACTION"] = hook == nil ? entries.last?["FSFREEZE_ACTION"] : "freeze"
            fields["FSFREEZE_STATUS"] = status.map(String.init)
            return fields
        }
        let directory = guest.path("fsfreeze-hook.d")
        let found = entries.map { entry in
            var entry = comparable(entry)
            entry["MESSAGE"] = entry["MESSAGE"].map(withoutTime)
            return entry
        }
        #expect(
            found == [
                wanted(
                    "guard: a process of its own session; without a thaw it ends the window after 5min", 6,
                    .guardStarted),
                wanted("execute \(directory)/10-good freeze", 6, .hookStarted, hook: "10-good"),
                wanted("10-good: words of freeze", 6, nil, hook: "10-good"),
                wanted(
                    "\(directory)/10-good finished with status=0 in TIME s", 6, .hookSucceeded, hook: "10-good",
                    status: 0),
                wanted("execute \(directory)/20-absent freeze", 6, .hookStarted, hook: "20-absent"),
                wanted(
                    "\(directory)/20-absent finished with status=77 in TIME s (nothing to do here)", 6, .hookSkipped,
                    hook: "20-absent", status: 77),
                wanted("execute \(directory)/30-bad freeze", 6, .hookStarted, hook: "30-bad"),
                wanted(
                    "\(directory)/30-bad finished with status=3 in TIME s", 3, .hookFailed, hook: "30-bad", status: 3),
                wanted("frozen: 2 hooks, 1 failed, in TIME s (cycle \(cycle))", 4, .frozen),
            ])

        let good = try #require(entries.first { $0["MESSAGE_ID"] == MessageID.hookSucceeded.rawValue })
        let duration = try #require(good["FSFREEZE_DURATION_USEC"].flatMap { Int($0) })
        #expect((100_000..<20_000_000).contains(duration), "microseconds of a hook that sleeps 0.1 s")
        #expect(good["_TRANSPORT"] == "journal")
        #expect(good["_UID"] == "0")

        #expect(
            entries.compactMap { $0["MESSAGE"] } == guest.logLines,
            "the log and the journal tell the same, in one order")
    }

    @Test func `The entries of a thaw belong to the cycle of its freeze`() throws {
        let guest = try AgentGuest()
        let journal = try Journal(in: guest.namespace)
        try guest.hook("10-good")
        let agent = try guest.startAgent()
        #expect(try agent.freeze().number == 0)
        #expect(try agent.thaw().number == 0)
        let cycle = try #require(guest.callsWithCycle.first?.cycle)

        let thaw = try journal.entries(until: "thawed:").drop { $0["MESSAGE_ID"] != MessageID.frozen.rawValue }
            .dropFirst()
        #expect(thaw.allSatisfy { $0["FSFREEZE_CYCLE"] == cycle })
        #expect(
            thaw.map { $0["MESSAGE_ID"] } == [
                MessageID.hookStarted.rawValue, MessageID.hookSucceeded.rawValue,
                MessageID.verdictApplicationConsistent.rawValue,
            ])
        #expect(thaw.last?["FSFREEZE_VERDICT"] == "application-consistent")
        #expect(thaw.last?["PRIORITY"] == "5")
        #expect(thaw.compactMap { $0["FSFREEZE_ACTION"] }.allSatisfy { $0 == "thaw" })
        // An administrator types these fields.
        let shown = try journal.journalctl(["--output=cat", "FSFREEZE_CYCLE=\(cycle)", "FSFREEZE_HOOK=10-good"])
        #expect(shown.split(separator: "\n").count == 4)
    }

    @Test func `Every kind of entry has a case`() {
        #expect(JournalCase.all.map(\.id) == MessageID.allCases)
    }

    @Test(arguments: JournalCase.all)
    func `Every kind of entry is sent and explained`(_ wanted: JournalCase) throws {
        let guest = try AgentGuest(configuration: wanted.configuration)
        let journal = try Journal(in: guest.namespace)
        try guest.hook("10-good")
        try wanted.prepare(guest)
        let agent = try guest.startAgent()
        try agent.sendFreeze()
        try wanted.duringTheFreeze(guest, agent)
        let answer = try agent.receive()
        #expect((answer.error != nil) == wanted.freezeFails, "\(answer.json)")
        try wanted.whileFrozen(guest)
        #expect(try agent.thaw().number == 0)

        let entries = try journal.entries(until: "thawed: ").filter { $0["MESSAGE_ID"] == wanted.id.rawValue }
        #expect(!entries.isEmpty, "no entry has the id of \(wanted.id)")
        #expect(entries.contains { $0["MESSAGE"]?.contains(wanted.message) ?? false }, "\(entries)")
        let subject = try #require(try Catalog.project().subjects[wanted.id.rawValue])
        let shown = try journal.explanation(of: wanted.id.rawValue)
        let hook = try #require(entries.first)["FSFREEZE_HOOK"] ?? ""
        let action = entries.first?["FSFREEZE_ACTION"] ?? ""
        let filled = subject.replacing("@FSFREEZE_HOOK@", with: hook).replacing("@FSFREEZE_ACTION@", with: action)
        #expect(shown.contains("Subject: \(filled)\n"), "\(shown)")
        #expect(shown.contains("Defined-By: fsfreeze-hook\n"))
        #expect(!shown.contains("FSFREEZE_HOOK") && !shown.contains("@"), "every placeholder has a value: \(shown)")
    }

    @Test func `Names and words forge nothing`() throws {
        let guest = try AgentGuest()
        let journal = try Journal(in: guest.namespace)
        let name = "10-a\nFORGED=yes\nMESSAGE=forged"
        try guest.hook(name, "printf 'b\\nFORGED=yes\\033[2J\\000\\377\\n'")
        try guest.hook("20-good")
        let agent = try guest.startAgent()
        #expect(try agent.freeze().number == 0)

        let entries = try journal.entries(until: "frozen:")
        #expect(entries.contains { $0["FSFREEZE_HOOK"] == #"10-a\x0aFORGED=yes\x0aMESSAGE=forged"# })
        #expect(entries.allSatisfy { $0["FORGED"] == nil && $0["MESSAGE"] != "forged" })
        #expect(entries.contains { $0["MESSAGE"]?.hasSuffix(#": FORGED=yes\x1b[2J\x00\xff"#) ?? false }, "\(entries)")
        #expect(try journal.journalctl(["FORGED=yes"]).isEmpty)
    }

    @Test func `The journal can be switched off`() throws {
        let guest = try AgentGuest(configuration: "journal = no")
        let journal = try Journal(in: guest.namespace)
        try guest.hook("10-good")
        let agent = try guest.startAgent()
        #expect(try agent.freeze().number == 0)
        #expect(guest.log.contains("frozen: "))

        // This entry comes after all that the freeze might have sent.
        try guest.configure("")
        #expect(try agent.thaw().number == 0)
        let entries = try journal.entries(until: "thawed: ")
        #expect(entries.allSatisfy { $0["MESSAGE"]?.contains("freeze") != true || $0["FSFREEZE_ACTION"] == "thaw" })
        #expect(!entries.contains { $0["MESSAGE_ID"] == MessageID.frozen.rawValue })
    }

    // While the filesystems are frozen journald stands still at its first write, and its senders after some messages.
    @Test func `A journal that has stopped reading delays nothing`() throws {
        let guest = try AgentGuest()
        let journal = try Journal(in: guest.namespace)
        for number in 10..<12 {
            try guest.hook("\(number)-talks", "i=0; while [ $i -lt 500 ]; do echo words $i; i=$((i + 1)); done")
        }
        let agent = try guest.startAgent()
        try journal.signal(SIGSTOP)

        let frozen = try agent.freeze()
        #expect(frozen.number == 0)
        #expect(frozen.seconds < 10)
        #expect(guest.logLines.contains { $0.hasPrefix("frozen: 2 hooks, 0 failed, in ") })
        let thawed = try agent.thaw()
        #expect(thawed.number == 0)
        #expect(thawed.seconds < 10)
        #expect(guest.logLines.contains { $0.hasPrefix("thawed: 2 hooks, 0 failed, in ") })

        // The daemon goes on, and gets entries again.
        try journal.signal(SIGCONT)
        #expect(try agent.freeze().number == 0)
        let cycle = try #require(guest.callsWithCycle.last?.cycle)
        let summaries = ["MESSAGE_ID=\(MessageID.frozen.rawValue)", "FSFREEZE_CYCLE=\(cycle)"]
        #expect(try journal.entries(summaries, until: "frozen: ").count == 1)
    }

    @Test func `Without the log the journal has everything`() throws {
        let guest = try AgentGuest()
        let journal = try Journal(in: guest.namespace)
        try Files.makeDirectory(guest.path("log"))
        try guest.hook("10-good", "echo words")
        let agent = try guest.startAgent()
        #expect(try agent.freeze().number == 0)
        let messages = try journal.entries(until: "frozen:").compactMap { $0["MESSAGE"] }
        #expect(messages.contains("execute \(guest.path("fsfreeze-hook.d"))/10-good freeze"))
        #expect(messages.contains("10-good: words"))
        #expect(guest.calls == ["10-good freeze freeze"])
    }
}
