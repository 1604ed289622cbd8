// SPDX-License-Identifier: Apache-2.0

import Glibc
import SystemPackage
import TestSupport
import Testing

@testable import FreezeHook
@testable import FreezeHookAdmin
@testable import FreezeHookBase
@testable import FreezeHookRecipes

/// The log file.
@Suite struct LogFileTests {
    private func event(_ text: String) -> Event { Event(.info, nil, text) }

    /// The lines of the log without their times.
    private func lines(_ path: FilePath) -> [String] {
        Files.text(of: path.string).split(separator: "\n").map { line in
            line.split(separator: ": ", maxSplits: 1).last.map(String.init) ?? ""
        }
    }

    private func expectUnusable(_ path: FilePath, _ reason: String) throws {
        let error = try #require(throws: LogError.self) { try LogFile(path: path) }
        #expect(error.description == "the log \(path) cannot be used: \(reason)")
    }

    @Test func `Events are added, one a line, each with its own time`() throws {
        let directory = try TemporaryDirectory()
        let path = try directory.makeFile("log", "before\n", mode: 0o600)
        let log = try LogFile(path: path)
        var old = event("old")
        old.time = WallTime(microseconds: 0)
        log.write([old, event("new")])
        try LogFile(path: path).write([event("other")])
        log.write([event("last: one")])
        log.write([])
        #expect(lines(path) == ["before", "old", "new", "other", "last: one"])
        #expect(Files.text(of: path.string).contains("\n\(old.time.rfc3339): old\n"))
        #expect(Files.mode(of: path.string).map { $0 & 0o7777 } == 0o600)
        #expect(log.failure == nil)
    }

    @Test func `A log that is not there is made, for root and its group`() throws {
        let directory = try TemporaryDirectory()
        let path = directory.file("log")
        try LogFile(path: path).write([event("a")])
        #expect(lines(path) == ["a"])
        let mode = try #require(Files.mode(of: path.string))
        #expect(mode & 0o7737 == 0o600, "whatever the umask takes of 0640")
    }

    @Test func `Its directory is never made`() throws {
        let directory = try TemporaryDirectory()
        try expectUnusable(directory.file("missing/log"), "\(Errno.noSuchFileOrDirectory)")
        #expect(!Files.exists("\(directory.path)/missing"))
    }

    @Test func `A link is not followed, wherever it leads`() throws {
        let directory = try TemporaryDirectory()
        try directory.makeFile("target", "x")
        try expectUnusable(try directory.makeLink("log", to: "target"), "it is a link")
        try expectUnusable(try directory.makeLink("dangling", to: "new"), "it is a link")
        #expect(Files.text(of: "\(directory.path)/target") == "x")
        #expect(!Files.exists("\(directory.path)/new"))
    }

    @Test(.timeLimit(.minutes(1)))
    func `A FIFO does not hold it up, with a reader or without`() throws {
        let directory = try TemporaryDirectory()
        let path = try directory.makeFIFO("log")
        try expectUnusable(path, "\(Errno.noSuchAddressOrDevice)")
        let reader = open(path.string, O_RDONLY | O_NONBLOCK)
        defer { close(reader) }
        try expectUnusable(path, "it is not a regular file")
    }

    @Test func `Directories and devices are no logs`() throws {
        let directory = try TemporaryDirectory()
        try expectUnusable(try directory.makeDirectory("log"), "\(Errno.isDirectory)")
        for device in ["/dev/null", "/dev/full"] as [FilePath] {
            try expectUnusable(device, "it is not a regular file")
        }
    }

    @Test func `A log that somebody else could have made, reads or writes is not used`() throws {
        let directory = try TemporaryDirectory()
        let other = try directory.makeFile("other", "", mode: 0o640)
        try giveAway(other, user: stranger)
        try expectUnusable(other, "it belongs to user 4711")
        try expectUnusable(try directory.makeFile("open", "", mode: 0o646), "it is writable by others")
        let group = try directory.makeFile("group", "", mode: 0o660)
        try giveAway(group, group: stranger)
        try expectUnusable(group, "it is writable by group 4711")
        let listed = try directory.makeFile("listed", "", mode: 0o640)
        try AccessLists.letWrite(stranger, listed.string)
        try expectUnusable(listed, "it is writable by others, by its access control list (getfacl)")
        let linked = try directory.makeFile("linked", "", mode: 0o640)
        try succeed("link", link(linked.string, directory.file("second").string))
        try expectUnusable(linked, "it has another name as well (a hard link)")
        for path in [other, group, listed, linked] { #expect(Files.text(of: path.string) == "") }
    }

    @Test func `A log that a group of readers may read is used`() throws {
        let directory = try TemporaryDirectory()
        let path = try directory.makeFile("log", "", mode: 0o640)
        try giveAway(path, group: stranger)
        try LogFile(path: path).write([event("a")])
        #expect(lines(path) == ["a"])
    }

    @Test func `Every log closes what it has opened, also one that cannot be used`() async {
        // The limit belongs to a whole process, so the code runs in one of its own.
        await #expect(processExitsWith: .success) {
            let directory = try TemporaryDirectory()
            var limit = rlimit(rlim_cur: 64, rlim_max: 64)
            try succeed("setrlimit", setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit))
            for _ in 0..<100 {
                try LogFile(path: directory.file("log")).write([Event(.info, nil, "x")])
                #expect(throws: LogError.self) { try LogFile(path: "/dev/null") }
            }
            #expect(Files.text(of: "\(directory.path)/log").split(separator: "\n").count == 100)
        }
    }

    @Test func `When no more can be written, that is told once and nothing more is tried`() async {
        // The limit belongs to a whole process, so the code runs in one of its own.
        await #expect(processExitsWith: .success) {
            let directory = try TemporaryDirectory()
            let log = try LogFile(path: directory.file("log"))
            signal(SIGXFSZ, SIG_IGN)
            var limit = rlimit(rlim_cur: 100, rlim_max: 1000)
            try succeed("setrlimit", setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit))
            log.write([Event(.info, nil, "fits")])
            #expect(log.failure == nil)
            log.write([Event(.info, nil, String(repeating: "x", count: 200))])
            #expect(log.failure?.reason == "\(Errno.fileTooLarge)")
            limit.rlim_cur = 1000
            try succeed("setrlimit", setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit))
            log.write([Event(.info, nil, "after")])
            #expect(Files.bytes(of: "\(directory.path)/log")?.count == 100)
        }
    }
}
