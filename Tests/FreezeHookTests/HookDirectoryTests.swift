// SPDX-License-Identifier: Apache-2.0

import Glibc
import SystemPackage
import TestSupport
import Testing

@testable import FreezeHook
@testable import FreezeHookAdmin
@testable import FreezeHookBase
@testable import FreezeHookRecipes

/// The disposition of each entry of a hook directory.
@Suite struct HookDirectoryTests {
    /// A way to put an entry of the name `10-x` into the directory, and its disposition.
    struct Entry: CustomTestStringConvertible {
        var testDescription: String
        /// The disposition, in the words of `list`.
        var outcome: String
        var make: @Sendable (TemporaryDirectory) throws -> Void

        init(
            _ description: String, _ outcome: String,
            _ make: @escaping @Sendable (TemporaryDirectory) throws -> Void
        ) {
            testDescription = description
            self.outcome = outcome
            self.make = make
        }
    }

    static let entries = [
        Entry("script", "runs") { try $0.makeFile("d/10-x") },
        Entry("without #!", "runs") { try $0.makeFile("d/10-x", "echo\n") },
        Entry("executable for others alone", "runs") { try $0.makeFile("d/10-x", mode: 0o601) },
        Entry("writable by root's group", "runs") { try $0.makeFile("d/10-x", mode: 0o775) },
        Entry("group of others that cannot write", "runs") {
            try giveAway(try $0.makeFile("d/10-x"), group: stranger)
        },
        Entry("link to a file", "runs") {
            try $0.makeFile("target")
            try $0.makeLink("d/10-x", to: "../target")
        },
        Entry("chain of links through another directory", "runs") {
            try $0.makeDirectory("lib")
            try $0.makeFile("lib/recipe")
            try $0.makeLink("lib/second", to: "\($0.path)/lib/./recipe")
            try $0.makeLink("first", to: "lib/../lib/second")
            try $0.makeLink("d/10-x", to: "\($0.path)/first")
        },
        Entry("not executable", "skipped: not executable: chmod +x to enable it") {
            try $0.makeFile("d/10-x", mode: 0o644)
        },
        Entry("empty", "skipped: masked: the file is empty") { try $0.makeFile("d/10-x", "") },
        Entry("link to an empty file", "skipped: masked: the file is empty") {
            try $0.makeFile("empty", "")
            try $0.makeLink("d/10-x", to: "../empty")
        },
        Entry("link to /dev/null", "skipped: masked by a link to /dev/null") {
            try $0.makeLink("d/10-x", to: "/dev/null")
        },
        Entry("link to another device", "skipped: neither a file nor a link to one") {
            try $0.makeLink("d/10-x", to: "/dev/zero")
        },
        Entry("directory", "skipped: directory") { try $0.makeDirectory("d/10-x") },
        Entry("link to a directory", "skipped: directory") { try $0.makeLink("d/10-x", to: "/") },
        Entry("dangling link", "skipped: dangling link") { try $0.makeLink("d/10-x", to: "nowhere") },
        Entry("dangling link with a path that is missing", "skipped: dangling link") {
            try $0.makeLink("d/10-x", to: "nowhere/at/all")
        },
        Entry("FIFO", "skipped: neither a file nor a link to one") { try $0.makeFIFO("d/10-x") },
        Entry("of another user", "refused: belongs to user 4711") {
            try giveAway(try $0.makeFile("d/10-x"), user: stranger)
        },
        Entry("writable by others", "refused: is writable by others") { try $0.makeFile("d/10-x", mode: 0o757) },
        Entry("writable by another group", "refused: is writable by group 4711") {
            try giveAway(try $0.makeFile("d/10-x", mode: 0o775), group: stranger)
        },
        Entry("setuid", "refused: is setuid or setgid") { try $0.makeFile("d/10-x", mode: 0o4755) },
        Entry("setgid", "refused: is setuid or setgid") { try $0.makeFile("d/10-x", mode: 0o2755) },
        Entry("link to a file of another user", "refused: belongs to user 4711") {
            try giveAway(try $0.makeFile("target"), user: stranger)
            try $0.makeLink("d/10-x", to: "../target")
        },
    ]

    private func directory(_ place: TemporaryDirectory, _ settings: Settings = Settings()) -> HookDirectory {
        HookDirectory(path: place.file("d"), settings: settings)
    }

    @Test(arguments: entries)
    func `An entry runs, is skipped or is refused`(entry: Entry) throws {
        let place = try TemporaryDirectory()
        try place.makeDirectory("d")
        try entry.make(place)
        let found = try directory(place).entries()
        #expect(found.map(\.hook.name) == ["10-x"])
        #expect(found.first?.disposition.words == entry.outcome)
    }

    /// A way to make an entry that the kernel does not show; the errno is what it says instead.
    struct Hidden: CustomTestStringConvertible {
        var testDescription: String
        var reason: Errno
        var make: @Sendable (TemporaryDirectory) throws -> Void
    }

    static let hidden = [
        Hidden(testDescription: "link to itself", reason: .tooManySymbolicLinkLevels) {
            try $0.makeLink("d/10-x", to: "10-x")
        },
        Hidden(testDescription: "link through a file", reason: .notDirectory) {
            try $0.makeFile("file")
            try $0.makeLink("d/10-x", to: "../file/x")
        },
        Hidden(testDescription: "link with a name that is too long", reason: .fileNameTooLong) {
            try $0.makeLink("d/10-x", to: String(repeating: "x", count: 256))
        },
        Hidden(testDescription: "link into a closed directory", reason: .permissionDenied) {
            try $0.makeDirectory("closed")
            try $0.makeFile("closed/target")
            try $0.makeLink("d/10-x", to: "../closed/target")
            try succeed("chmod", chmod("\($0.path)/closed", 0))
        },
        Hidden(testDescription: "hook directory without search", reason: .permissionDenied) {
            try $0.makeFile("d/10-x")
            try succeed("chmod", chmod("\($0.path)/d", 0o744))
        },
        Hidden(testDescription: "file without read", reason: .permissionDenied) {
            try $0.makeFile("d/10-x", mode: 0o711)
        },
    ]

    @Test(arguments: hidden)
    func `What cannot be looked at is refused, not skipped`(entry: Hidden) async throws {
        let place = try TemporaryDirectory()
        try succeed("chmod", chmod(place.path, 0o755))
        try place.makeDirectory("d")
        try entry.make(place)
        // Root may look at everything, so a process of its own gives root up; it owns nothing there.
        await #expect(processExitsWith: .success) {
            [path = place.path as String, reason = entry.reason.rawValue as CInt] in
            try succeed("setuid", setuid(stranger))
            let directory = HookDirectory(path: FilePath("\(path)/d"), settings: Settings())
            let found = try directory.entries()
            #expect(found.map(\.hook.name) == ["10-x"])
            guard case .refused(let refusal) = found.first?.disposition else {
                throw TestFailure("\(String(describing: found.first?.disposition))")
            }
            #expect(refusal.fault == .unreadable(Errno(rawValue: reason)))
        }
        chmod("\(place.path)/closed", 0o755)
    }

    @Test func `A frozen hook is thawed also when its header cannot be read`() async throws {
        let place = try TemporaryDirectory()
        try succeed("chmod", chmod(place.path, 0o755))
        try place.makeDirectory("d")
        let path = try place.makeFile("d/10-x", mode: 0o711)
        await #expect(processExitsWith: .success) { [hook = path.string as String] in
            try succeed("setuid", setuid(stranger))
            let path = FilePath(hook)
            let directory = HookDirectory(path: path.removingLastComponent(), settings: Settings())
            #expect(directory.entry(at: path, isFrozen: true).disposition == .runs)
        }
    }

    @Test func `A required hook that is a dangling link is refused`() throws {
        let place = try TemporaryDirectory()
        try place.makeDirectory("d")
        let path = try place.makeLink("d/10-x", to: "nowhere")
        var settings = Settings()
        settings.hooks["x", default: HookSettings()].required = true
        let refusal = Refusal(path, .danglingLink)
        #expect(try directory(place, settings).entries().map(\.disposition) == [.refused(refusal)])
    }

    @Test func `The configuration leaves a hook out, whatever lies there, but not the thaw of a frozen one`() throws {
        let place = try TemporaryDirectory()
        try place.makeDirectory("d")
        let path = try place.makeFile("d/10-x", mode: 0o757)
        var settings = Settings()
        settings.hooks["x", default: HookSettings()].run = false
        #expect(try directory(place, settings).entries().map(\.disposition) == [.skipped(.leftOut)])
        let frozen = directory(place, settings).entry(at: path, isFrozen: true)
        #expect(frozen.disposition == .refused(Refusal(path, .hook(.writableByOthers))))
    }

    /// A way to make a place where somebody else can put another hook; the text names the directory.
    static let unsafePlaces = [
        Entry("hook directory writable by others", "refused: the directory /d is writable by others") {
            try $0.makeFile("d/10-x")
            try succeed("chmod", chmod("\($0.path)/d", 0o777))
        },
        Entry("hook directory writable by another group", "refused: the directory /d is writable by group 4711") {
            try $0.makeFile("d/10-x")
            try succeed("chmod", chmod("\($0.path)/d", 0o775))
            try giveAway($0.file("d"), group: stranger)
        },
        Entry("hook directory of another user", "refused: the directory /d belongs to user 4711") {
            try $0.makeFile("d/10-x")
            try giveAway($0.file("d"), user: stranger)
        },
        // Somebody may have put the hook there before.
        Entry("sticky hook directory", "refused: the directory /d is writable by others") {
            try $0.makeFile("d/10-x")
            try succeed("chmod", chmod("\($0.path)/d", 0o1777))
        },
        Entry("directory above writable by others", "refused: the directory  is writable by others") {
            try $0.makeFile("d/10-x")
            try succeed("chmod", chmod($0.path, 0o777))
        },
        Entry("target in a directory writable by others", "refused: the directory /open is writable by others") {
            try $0.makeDirectory("open", mode: 0o777)
            try $0.makeFile("open/target")
            try $0.makeLink("d/10-x", to: "../open/target")
        },
        Entry(
            "link on the way in a directory writable by others", "refused: the directory /open is writable by others"
        ) {
            try $0.makeFile("target")
            try $0.makeDirectory("open", mode: 0o777)
            try $0.makeLink("open/link", to: "../target")
            try $0.makeLink("d/10-x", to: "../open/link")
        },
        Entry("target in a sticky directory", "refused: the directory /open is writable by others") {
            try $0.makeDirectory("open", mode: 0o1777)
            try $0.makeFile("open/target")
            try $0.makeLink("d/10-x", to: "../open/target")
        },
        Entry("target through a link to a directory of others", "refused: the directory /theirs belongs to user 4711") {
            try $0.makeDirectory("theirs")
            try $0.makeFile("theirs/target")
            try giveAway($0.file("theirs"), user: stranger)
            try $0.makeLink("way", to: "theirs")
            try $0.makeLink("d/10-x", to: "../way/target")
        },
        Entry("link of another user", "refused: the link /d/10-x belongs to user 4711") {
            try $0.makeFile("target")
            try giveAway(try $0.makeLink("d/10-x", to: "../target"), user: stranger)
        },
        Entry("link of another user in a sticky directory", "refused: the link /open/link belongs to user 4711") {
            try $0.makeDirectory("open", mode: 0o1777)
            try $0.makeDirectory("safe")
            try $0.makeFile("safe/target")
            try giveAway(try $0.makeLink("open/link", to: "../safe"), user: stranger)
            try $0.makeLink("d/10-x", to: "../open/link/target")
        },
    ]

    @Test(arguments: unsafePlaces)
    func `A hook that somebody else can replace is refused`(place: Entry) throws {
        let directory = try TemporaryDirectory()
        try directory.makeDirectory("d")
        try place.make(directory)
        let disposition = try #require(try self.directory(directory).entries().first).disposition
        #expect(disposition.words.replacing(directory.path, with: "") == place.outcome)
    }

    @Test func `A safe directory below a sticky one can be trusted`() throws {
        let place = try TemporaryDirectory()
        try place.makeDirectory("d")
        try place.makeDirectory("open", mode: 0o1777)
        try place.makeDirectory("open/safe")
        try place.makeFile("open/safe/target")
        try place.makeLink("d/10-x", to: "../open/safe/target")
        #expect(try directory(place).entries().map(\.disposition) == [.runs])
    }

    @Test func `Entries come in the byte order of their names, without those that are ignored`() throws {
        let place = try TemporaryDirectory()
        try place.makeDirectory("d")
        let names: [[UInt8]] = [
            bytes("-"), bytes("10"), bytes("10-"), bytes("10-a"), bytes("10.a"), bytes("9-a"), bytes("A"), bytes("_"),
            bytes("a"), bytes("a\nb"), bytes("a b"), bytes("b"), bytes("z"), bytes("é"), [0x80], [0xff], [0xff, 0x01],
        ]
        for name in names.reversed() { try Files.write(bytes("x"), to: bytes("\(place.path)/d/") + name, mode: 0o755) }
        for name in [".hidden", "a~", "b.sample", "c.dpkg-old"] { try place.makeFile("d/\(name)") }
        let found = try directory(place).entries().map(\.hook.path.nameBytes)
        #expect(found == names.sorted { $0.lexicographicallyPrecedes($1) })
        #expect(found.first == bytes("-") && found.last == [0xff, 0x01])
    }

    @Test func `A hook carries its header and its settings`() throws {
        let place = try TemporaryDirectory()
        try place.makeDirectory("d")
        try place.makeFile("d/10-x.sh", "#!/bin/sh\n# fsfreeze-hook: timeout = 7s\n# fsfreeze-hook: description = X\n")
        var settings = Settings()
        settings.hooks["x", default: HookSettings()].required = true
        let hook = try #require(try directory(place, settings).entries().first).hook
        #expect(hook.timeout == .seconds(7))
        #expect(hook.isRequired)
        #expect(hook.header.description == "X")
        #expect(hook.path == place.file("d/10-x.sh"))
    }

    @Test func `An empty directory has no entries, and none that cannot be listed`() throws {
        let place = try TemporaryDirectory()
        try place.makeDirectory("empty")
        try place.makeFile("file")
        func entries(_ name: String) throws -> [DirectoryEntry] {
            try HookDirectory(path: place.file(name), settings: Settings()).entries()
        }
        #expect(try entries("empty").isEmpty)
        #expect(throws: Errno.noSuchFileOrDirectory) { try entries("missing") }
        #expect(throws: Errno.notDirectory) { try entries("file") }
    }

    @Test func `An entry is looked at afresh`() throws {
        let place = try TemporaryDirectory()
        try place.makeDirectory("d")
        let path = try place.makeFile("d/10-x")
        let directory = directory(place)
        #expect(directory.entry(at: path).disposition == .runs)
        try succeed("chmod", chmod(path.string, 0o644))
        #expect(directory.entry(at: path).disposition == .skipped(.notExecutable))
        try succeed("unlink", unlink(path.string))
        #expect(directory.entry(at: path).disposition == .skipped(.gone))
    }

    @Test func `A hook directory that is a link is followed`() throws {
        let place = try TemporaryDirectory()
        try place.makeDirectory("real")
        try place.makeFile("real/10-x")
        try place.makeLink("d", to: "real")
        #expect(try directory(place).entries().map(\.disposition) == [.runs])
        try succeed("chmod", chmod("\(place.path)/real", 0o777))
        #expect(
            try directory(place).entries().map(\.disposition.words)
                == ["refused: the directory \(place.path)/real is writable by others"])
    }

    @Test func `A refusal names what is at fault as a path`() throws {
        let place = try TemporaryDirectory()
        try place.makeDirectory("d")
        try place.makeFile("d/10-x", mode: 0o757)
        let own = Refusal(place.file("d/10-x"), .hook(.writableByOthers))
        #expect(try directory(place).entries().map(\.disposition) == [.refused(own)])
        try succeed("chmod", chmod("\(place.path)/d/10-x", 0o755))
        try succeed("chmod", chmod("\(place.path)/d", 0o777))
        let way = Refusal(place.file("d"), .directory(.writableByOthers))
        #expect(try directory(place).entries().map(\.disposition) == [.refused(way)])
    }
}

extension DirectoryEntry.Disposition {
    /// The disposition of the entry, in the words of `list` and the log.
    fileprivate var words: String {
        switch self {
        case .runs: "runs"
        case .skipped(let reason): "skipped: \(reason)"
        case .refused(let refusal): "refused: \(refusal)"
        }
    }
}
