// SPDX-License-Identifier: Apache-2.0

import Glibc
import SystemPackage
import TestSupport
import Testing

@testable import FreezeHook
@testable import FreezeHookAdmin
@testable import FreezeHookBase
@testable import FreezeHookRecipes

/// The metrics for Prometheus, and the counters behind them.
@Suite struct MetricsTests {
    private func text(_ counters: CycleCounters, _ last: CycleSummary?) -> String {
        Metrics(counters: counters, last: last).text
    }

    private func expectGood(_ text: String, sourceLocation: SourceLocation = #_sourceLocation) throws {
        let directory = try TemporaryDirectory()
        try Files.write(text, to: "\(directory.path)/a.prom")
        let promtool = try Tools.command("promtool", package: "prometheus")
        let check = try ChildProcess(
            ["/bin/sh", "-c", "exec \(promtool) check metrics < \(directory.path)/a.prom"],
            environment: ["PATH": "/usr/bin:/bin"]
        ).wait()
        #expect(check.status == 0 && check.stdout + check.stderr == "", "\(check)", sourceLocation: sourceLocation)
    }

    @Test func `promtool accepts it, with hooks of any name`() throws {
        try expectGood(text(CycleCounters(), nil))
        let names = Cycles.hostileNames + ["quote\"and\\back", "10-mariadb"]
        let cycle = try Cycles.cycle("x", .crashConsistent) { cycle in
            cycle.hooks = names.map { Cycles.run($0, .freeze, at: 1, 0.25, status: 3) }
            // The thaw calls a hook again that failed in the guard's thaw.
            cycle.hooks += [
                Cycles.run("10-mariadb", .thaw, at: 2, 1, status: 1), Cycles.run("10-mariadb", .thaw, at: 3, 2),
            ]
            cycle.hooks += [Cycles.run("20-cut", .freeze, at: 2, nil, status: nil)]
            cycle.refusals = [.init(name: "30-open", path: "/d/30-open", action: Word(.freeze), why: "why")]
        }
        var counters = CycleCounters()
        counters.count(cycle)
        counters.count(try Cycles.cycle("y", reason: .rehearsal))
        let text = text(counters, cycle)
        try expectGood(text)
        let name = "fsfreeze_hook_last_cycle_hook"
        #expect(text.contains("\(name)_success{hook=\"quote\\\"and\\\\back\",action=\"freeze\"} 0\n"))
        #expect(text.contains("\(name)_success{hook=\"10-mariadb\",action=\"thaw\"} 1\n"))
        #expect(text.contains("\(name)_duration_seconds{hook=\"10-mariadb\",action=\"thaw\"} 2\n"))
        #expect(text.contains("\(name)_success{hook=\"20-cut\",action=\"freeze\"} 0\n"))
        #expect(text.contains("\(name)_success{hook=\"30-open\",action=\"freeze\"} 0\n"))
        #expect(!text.contains("\(name)_duration_seconds{hook=\"30-open\""))
    }

    @Test func `It counts the hooks that declare no guarantee`() throws {
        let name = "fsfreeze_hook_last_cycle_undeclared_hooks"
        let cycle = try Cycles.cycle("x") { $0.undeclared = ["10-a", "20-b"] }
        let text = text(CycleCounters(), cycle)
        try expectGood(text)
        #expect(text.contains("\n\(name) 2\n"))
        #expect(!self.text(CycleCounters(), try Cycles.cycle("y") { $0.undeclared = nil }).contains(name))
    }

    @Test func `It tells of the last cycle and when one was last consistent`() throws {
        var counters = CycleCounters()
        counters.count(try Cycles.cycle("a", at: 0))
        let last = try Cycles.cycle("b", .nativeCopy, at: 3600.5)
        counters.count(last)
        let text = text(counters, last)
        let first = Int64(Timestamp.at(0).wall.seconds)
        for line in [
            "last_cycle_timestamp_seconds \(first + 3600).5", "last_cycle_verdict{verdict=\"native-copy\"} 1",
            "last_cycle_verdict{verdict=\"application-consistent\"} 0", "last_consistent_timestamp_seconds \(first)",
            "last_verdict_timestamp_seconds{verdict=\"native-copy\"} \(first + 3600).5",
            "last_verdict_timestamp_seconds{verdict=\"unsupported\"} 0",
            "last_cycle_phase_duration_seconds{phase=\"hold\"} 2", "last_cycle_window_duration_seconds 3",
            "cycles_total{verdict=\"native-copy\"} 1", "expiries_total 0", "rollbacks_total 0",
        ] {
            #expect(text.contains("\nfsfreeze_hook_\(line)\n"), "\(line) in \(text)")
        }
        #expect(!text.contains("last_rehearsal"))
    }

    // MARK: - Counters

    private func bookkeeping(_ directory: TemporaryDirectory, limit: Int = 1000) -> Bookkeeping {
        var settings = Settings()
        settings.historyLimit = limit
        settings.metricsFile = directory.file("a.prom")
        var locations = Locations(calledPath: "", hookDirectory: "/none", configuration: "/none")
        locations.stateDirectory = directory.file("state")
        return Bookkeeping(settings: settings, locations: locations)
    }

    private func value(_ name: String, _ directory: TemporaryDirectory) -> String? {
        Files.text(of: "\(directory.path)/a.prom").split(separator: "\n").first {
            $0.hasPrefix("fsfreeze_hook_\(name) ")
        }
        .map { String($0.split(separator: " ").last ?? "") }
    }

    @Test func `Counters never go down when the history is pruned`() throws {
        let directory = try TemporaryDirectory()
        let book = bookkeeping(directory, limit: 2)
        for number in 1...20 {
            let cycle = try Cycles.cycle("c\(number)", .crashConsistent, reason: .rollback) { $0.expired = true }
            #expect(book.enter(cycle) == [])
            #expect(value("cycles_total{verdict=\"crash-consistent\"}", directory) == "\(number)")
            #expect(value("rollbacks_total", directory) == "\(number)")
            #expect(value("expiries_total", directory) == "\(number)")
        }
        let kept = Files.text(of: "\(directory.path)/state/history.jsonl").split(separator: "\n").count
        #expect(kept <= 4)
        unlink("\(directory.path)/a.prom")
        #expect(book.enter(try Cycles.cycle("last")) == [])
        #expect(value("expiries_total", directory) == "20")
        #expect(Files.mode(of: "\(directory.path)/a.prom").map { $0 & 0o7777 } == 0o644)
        #expect(try Files.names(in: directory.path).sorted() == ["a.prom", "state"])
    }

    @Test func `Without a file they begin with the history, and so after damage`() throws {
        let directory = try TemporaryDirectory()
        let book = bookkeeping(directory)
        for number in 1...3 { #expect(book.enter(try Cycles.cycle("c\(number)")) == []) }
        let counters = "\(directory.path)/state/counters.json"
        for damage in ["", "{", "[]", "{\"cycles\":{}}"] {
            try Files.write(damage, to: counters)
            let before = Int(value("cycles_total{verdict=\"application-consistent\"}", directory) ?? "") ?? 0
            #expect(book.enter(try Cycles.cycle("more")) == [])
            #expect(
                value("cycles_total{verdict=\"application-consistent\"}", directory) == "\(before + 1)", "\(damage)")
        }
    }

    @Test func `A rehearsal changes nothing of what is told of backups`() throws {
        let directory = try TemporaryDirectory()
        let book = bookkeeping(directory)
        #expect(book.enter(try Cycles.cycle("real", .crashConsistent, at: 0)) == [])
        func backups() -> [Substring] {
            Files.text(of: "\(directory.path)/a.prom").split(separator: "\n").filter { !$0.contains("rehearsal") }
        }
        let before = backups()
        let rehearsal = try Cycles.cycle("rehearsed", reason: .rehearsal, at: 100) { $0.expired = true }
        #expect(book.enter(rehearsal) == [])
        #expect(backups() == before)
        #expect(value("rehearsals_total{verdict=\"application-consistent\"}", directory) == "1")
        #expect(value("last_rehearsal_verdict{verdict=\"application-consistent\"}", directory) == "1")
    }

    @Test func `A file that cannot be written is a problem with its reason, and leaves the old one`() throws {
        let directory = try TemporaryDirectory()
        let book = bookkeeping(directory)
        try directory.makeDirectory("a.prom")
        let problems = book.enter(try Cycles.cycle("a"))
        #expect(
            problems.count == 1 && problems[0].contains("\(directory.path)/a.prom cannot be written: "), "\(problems)")
        #expect(try Files.names(in: directory.path).sorted() == ["a.prom", "state"])
        rmdir("\(directory.path)/a.prom")
        try directory.makeFile("precious", "old")
        // Others may write to the directory: neither link may lead to another file.
        for name in ["a.prom", "a.prom.new"] { try directory.makeLink(name, to: "precious") }
        #expect(book.enter(try Cycles.cycle("b")) == [])
        #expect(Files.text(of: "\(directory.path)/precious") == "old")
        #expect(Files.text(of: "\(directory.path)/a.prom").hasPrefix("# HELP"))
        #expect(!Files.exists("\(directory.path)/a.prom.new"))
    }

    @Test func `A label of a damaged file is cleaned`() {
        var text = MetricsText()
        text.add("a", .gauge, "Help.", [([(name: "verdict", value: "x\u{1b}c\u{9b}\"\n")], 1)])
        #expect(text.text.hasSuffix("\na{verdict=\"x\\\\x1bc\\\\xc2\\\\x9b\\\"\\\\x0a\"} 1\n"), "\(text.text)")
    }
}
