// SPDX-License-Identifier: Apache-2.0

import Glibc
import SystemPackage
import TestSupport
import Testing

@testable import FreezeHook
@testable import FreezeHookAdmin
@testable import FreezeHookBase
@testable import FreezeHookRecipes

/// The configuration: every key, good and bad, and every way in which the file itself cannot be used.
@Suite struct SettingsFileTests {
    private func parse(_ text: String) throws -> Settings { try SettingsFile.parse(text, file: "c") }

    // MARK: - Keys

    /// A line of `[general]` and what it sets.
    struct Good: CustomTestStringConvertible {
        var line: String
        var set: @Sendable (inout Settings) -> Void
        var testDescription: String { line }

        init(_ line: String, _ set: @escaping @Sendable (inout Settings) -> Void) {
            self.line = line
            self.set = set
        }
    }

    static let good = [
        Good("on-failure = abort") { $0.onFailure = .abort },
        Good("on-failure = continue") { $0.onFailure = .continue },
        Good("hook-timeout = 1ms") { $0.hookTimeout = .milliseconds(1) },
        Good("kill-grace = 5s") { $0.killGrace = .seconds(5) },
        Good("freeze-timeout = 20min") { $0.freezeTimeout = .seconds(1200) },
        Good("thaw-timeout = 1h") { $0.thawTimeout = .seconds(3600) },
        Good("hold-limit = 0") { $0.holdLimit = .zero },
        Good("hold-limit = 200ms") { $0.holdLimit = .milliseconds(200) },
        Good("thaw-filesystems = yes") { $0.thawFilesystems = true },
        Good("thaw-order = forward") { $0.thawOrder = .forward },
        Good("thaw-order = reverse") { $0.thawOrder = .reverse },
        Good("thaw-failure = report") { $0.thawFailure = .report },
        Good("thaw-failure = ignore") { $0.thawFailure = .ignore },
        Good("log-file = /tmp/a b.log") { $0.logFile = "/tmp/a b.log" },
        Good("journal = no") { $0.journal = false },
        Good("history-limit = 1") { $0.historyLimit = 1 },
        Good("history-limit = 1000000") { $0.historyLimit = 1_000_000 },
        Good("metrics-file = /var/lib/metrics/a.prom") { $0.metricsFile = "/var/lib/metrics/a.prom" },
        Good("metrics-file =") { $0.metricsFile = nil },
    ]

    @Test(arguments: good)
    func `A key of general sets what it names and nothing else`(good: Good) throws {
        var expected = Settings()
        good.set(&expected)
        #expect(try parse("[general]\n\(good.line)\n") == expected)
    }

    @Test func `Every key of general is in these tests`() {
        func key(_ line: String) -> String { String(line.prefix { $0 != " " }) }
        #expect(Set(Self.good.map { key($0.line) }) == Set(SettingsKeys.general.keys))
        #expect(Set(Self.bad.map { key($0.0) }) == Set(SettingsKeys.general.keys))
        #expect(Set(Self.badOfHooks.map { key($0.0) }) == Set(SettingsKeys.hook.keys))
    }

    static let bad = [
        ("on-failure = Abort", "continue or abort"), ("on-failure =", "continue or abort"),
        ("hook-timeout = 0", "500ms"), ("hook-timeout = 30", "500ms"), ("hook-timeout = -1s", "500ms"),
        ("kill-grace = 0s", "500ms"), ("freeze-timeout = soon", "500ms"), ("thaw-timeout = 8761h", "500ms"),
        ("hold-limit = never", "0 for none"), ("hold-limit = 5", "0 for none"),
        ("thaw-filesystems = perhaps", "yes or no"),
        ("thaw-order = backward", "reverse or forward"), ("thaw-failure = abort", "ignore or report"),
        ("log-file = qga.log", "begins with /"), ("log-file =", "begins with /"), ("journal = Yes", "yes or no"),
        ("history-limit = 0", "from 1 to 1000000"), ("history-limit = 1000001", "from 1 to 1000000"),
        ("metrics-file = a.prom", "begins with /"), ("history-limit = -5", "from 1 to 1000000"),
        ("history-limit = 1.5", "from 1 to 1000000"),
    ]

    @Test(arguments: bad)
    func `A bad value is named with its place and what is allowed`(line: String, allowed: String) throws {
        try expectBadValue(line, in: "general", allowed: allowed)
    }

    private func expectBadValue(_ line: String, in section: String, allowed: String) throws {
        let error = try #require(throws: ConfigurationError.self) { try parse("\n[\(section)]\n  \(line)\n") }
        let parts = line.split(separator: "=", maxSplits: 1).map { $0.filter { $0 != " " } }
        let value = parts.count == 2 ? parts[1] : ""
        let column = 2 + line.utf8.count - value.utf8.count + 1
        #expect(error.description.hasPrefix("c:3:\(column): '\(value)' is no value for \(parts[0]): "))
        #expect(error.problem.contains(allowed))
    }

    @Test(arguments: ["yes", "true", "on", "1", "no", "false", "off", "0"])
    func `A switch has four words for each side`(word: String) throws {
        #expect(try parse("[general]\njournal = \(word)").journal == ["yes", "true", "on", "1"].contains(word))
    }

    @Test(arguments: ["y", "n", "YES", "enabled", "2", "00", "yes no", "-", "\"yes\""])
    func `No other word is a switch`(word: String) {
        #expect(throws: ConfigurationError.self) { try parse("[general]\njournal = \(word)") }
    }

    @Test func `Of a key that comes again the last one counts`() throws {
        #expect(try parse("[general]\nkill-grace = 1s\n[hook a]\n[general]\nkill-grace = 7s").killGrace == .seconds(7))
    }

    // MARK: - Hooks

    @Test func `A hook's section sets all that it names`() throws {
        let text = "[hook db]\ntimeout = 90s\nrequired = yes\nprepare = no\nguarantee = native-copy\nretry-thaw = yes\n"
        let hook = try parse(text).hook(named: "10-db.sh")
        #expect(hook.timeout == .seconds(90))
        #expect(hook.required == true)
        #expect(hook.prepare == false)
        #expect(hook.guarantee == .nativeCopy)
        #expect(hook.retryThaw == true)
    }

    @Test func `A hook's section leaves it out, or gives it other words`() throws {
        let hook = try parse("[hook db]\nrun = no\nfreeze-word = pre\nthaw-word = post\n").hook(named: "10-db")
        #expect(hook.run == false && hook.freezeWord == "pre" && hook.thawWord == "post")
    }

    @Test(arguments: [
        "[hook a]\nrequired = yes\n  run = no\n", "[hook a]\nrun = no\n  required = yes\n",
        "[hook a]\nrun = no\n[hook a]  required = yes",
    ])
    func `A hook cannot be required and left out`(text: String) throws {
        let lines = text.replacing("[hook a]  ", with: "[hook a]\n  ")
        let error = try #require(throws: ConfigurationError.self) { try parse(lines) }
        let line = lines.split(separator: "\n").count
        #expect(error.description == "c:\(line):3: required = yes and run = no contradict each other in [hook a]")
    }

    @Test func `A word has one part`() {
        #expect(throws: ConfigurationError.self) { try parse("[hook a]\nfreeze-word = pre now\n") }
        #expect(throws: ConfigurationError.self) { try parse("[hook a]\nthaw-word = a\tb\n") }
    }

    static let badOfHooks = [
        ("timeout = 0", "500ms"), ("required = sometimes", "yes or no"), ("prepare = 2", "yes or no"),
        ("retry-thaw = often", "yes or no"),
        ("guarantee = best", "unsupported or crash-consistent or native-copy or application-consistent"),
        ("run = never", "yes or no"), ("freeze-word =", "a word without blanks"),
        ("thaw-word =", "a word without blanks"),
        ("leftovers = yes", "report or ignore"),
    ]

    @Test(arguments: badOfHooks)
    func `A bad value of a hook is named with its place`(line: String, allowed: String) throws {
        try expectBadValue(line, in: "hook db", allowed: allowed)
    }

    @Test func `A hook is found by its file name before its short name`() throws {
        let settings = try parse(
            "[hook db]\ntimeout = 1s\n[hook 10-db.sh]\ntimeout = 2s\n[hook  spaced]\ntimeout = 3s\n")
        #expect(settings.hook(named: "10-db.sh").timeout == .seconds(2))
        #expect(settings.hook(named: "20-db.py").timeout == .seconds(1))
        #expect(settings.hook(named: "db").timeout == .seconds(1))
        #expect(settings.hook(named: "30-spaced").timeout == .seconds(3))
        #expect(settings.hook(named: "10-other") == HookSettings())
        #expect(settings.hook(named: "db2") == HookSettings())
    }

    // MARK: - Unknown

    @Test(arguments: [
        ("[other]\n", "c:1:1: unknown section [other]: allowed are [general] and [hook NAME]"),
        ("\n  [hook]\n", "c:2:3: unknown section [hook]"), ("[]\n", "c:1:1: unknown section []"),
        ("[General]\n", "c:1:1: unknown section [General]"), ("[hooks a]\n", "c:1:1: unknown section [hooks a]"),
        ("[gen\u{1b}[2Jeral]", "c:1:1: unknown section [gen\\x1b[2Jeral]"),
        ("[general]\nparallel = yes", "c:2:1: unknown setting 'parallel' in [general]: allowed are freeze-timeout, "),
        ("[general]\n  metric-file = /x", "c:2:3: unknown setting 'metric-file' in [general]"),
        ("[general]\nHook-Timeout = 1s", "c:2:1: unknown setting 'Hook-Timeout'"),
        ("[general]\nrequired = yes", "c:2:1: unknown setting 'required' in [general]"),
        (
            "[hook a]\non-failure = abort",
            "c:2:1: unknown setting 'on-failure' in [hook a]: allowed are freeze-word, guarantee, "
        ),
        ("[general]\r\njournal = no\r\nx = 1\r\n", "c:3:1: unknown setting 'x'"),
        // The sections are looked at before the settings.
        ("[general]\nx = 1\n[other]\n", "c:3:1: unknown section [other]"),
        ("[general]\nx\n", "c:2:1: neither"),
    ])
    func `What is unknown is named with its place`(text: String, message: String) throws {
        let error = try #require(throws: ConfigurationError.self) { try parse(text) }
        #expect(error.description.hasPrefix(message), "\(error)")
    }

    // MARK: - The file

    private func expectUnusable(_ path: FilePath, _ reason: String) throws {
        let error = try #require(throws: ConfigurationError.self) { try SettingsFile.read(path) }
        #expect(error.description.hasPrefix("\(path): "), "\(error)")
        #expect(error.problem.contains(reason), "\(error)")
    }

    @Test func `No file means the defaults`() throws {
        let directory = try TemporaryDirectory()
        try directory.makeFile("file")
        #expect(try SettingsFile.read(directory.file("missing.conf")) == Settings())
        #expect(try SettingsFile.read(directory.file("missing/c.conf")) == Settings())
        #expect(try SettingsFile.read(directory.file("file/c.conf")) == Settings())
    }

    @Test func `A file is read, also through a link`() throws {
        let directory = try TemporaryDirectory()
        let path = try directory.makeFile("c.conf", "[general]\njournal = no\n", mode: 0o644)
        let link = try directory.makeLink("link.conf", to: "c.conf")
        #expect(try SettingsFile.read(path).journal == false)
        #expect(try SettingsFile.read(link).journal == false)
    }

    @Test func `An error in the file names the file`() throws {
        let directory = try TemporaryDirectory()
        let path = try directory.makeFile("c\u{1b}.conf", "[general]\n\nx = 1\n", mode: 0o644)
        let error = try #require(throws: ConfigurationError.self) { try SettingsFile.read(path) }
        #expect(error.file == "\(directory.path)/c\\x1b.conf")
        #expect(error.description.contains("c\\x1b.conf:3:1: unknown setting 'x'"))
    }

    @Test(
        arguments: [
            (stranger, 0, 0o644, "belongs to user 4711"), (0, 0, 0o646, "writable by others"),
            (0, stranger, 0o664, "writable by group 4711"),
        ] as [(uid_t, gid_t, mode_t, String)])
    func `A file that others could have written is refused`(user: uid_t, group: gid_t, mode: mode_t, reason: String)
        throws
    {
        let directory = try TemporaryDirectory()
        let path = try directory.makeFile("c.conf", "[general]\n", mode: mode)
        try giveAway(path, user: user, group: group)
        try expectUnusable(path, reason)
    }

    @Test(arguments: [(0, 0o664), (stranger, 0o644), (0, 0o600)] as [(gid_t, mode_t)])
    func `A file that root alone can write is read`(group: gid_t, mode: mode_t) throws {
        let directory = try TemporaryDirectory()
        let path = try directory.makeFile("c.conf", "[general]\njournal = no\n", mode: mode)
        try giveAway(path, group: group)
        #expect(try SettingsFile.read(path).journal == false)
    }

    @Test(.timeLimit(.minutes(1)))
    func `Only a regular file is read`() throws {
        let directory = try TemporaryDirectory()
        try expectUnusable(try directory.makeFIFO("fifo.conf"), "is not a regular file")
        try expectUnusable(try directory.makeDirectory("directory.conf"), "is not a regular file")
        try expectUnusable("/dev/zero", "is not a regular file")
        try expectUnusable(try directory.makeLink("loop.conf", to: "loop.conf"), "cannot be opened")
    }

    @Test func `A file of more than 1 MiB is not read`() throws {
        let directory = try TemporaryDirectory()
        let comment = "#" + String(repeating: "x", count: 1022) + "\n"
        let small = try directory.makeFile("small.conf", String(repeating: comment, count: 1023), mode: 0o644)
        let large = try directory.makeFile("large.conf", String(repeating: comment, count: 1026), mode: 0o644)
        #expect(try SettingsFile.read(small) == Settings())
        try expectUnusable(large, "larger than 1 MiB")
    }
}
