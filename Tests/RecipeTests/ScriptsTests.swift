// SPDX-License-Identifier: Apache-2.0

import Glibc
import TestSupport
import Testing

/// The recipe for pairs of scripts of other products.
@Suite struct ScriptsTests {
    private let guest: RecipeGuest
    private var configuration: String { "freeze = \(guest.path("opt/pre"))\nthaw = \(guest.path("opt/post"))\n" }

    init() throws {
        guest = try RecipeGuest()
        try guest.enable("scripts", as: "20-scripts")
        try Files.makeDirectory(guest.path("opt"))
        try script("pre")
        try script("post")
        try guest.configure("scripts", configuration)
    }

    /// Writes a script that notes its call.
    private func script(_ name: String, then rest: String = "", mode: mode_t = 0o755) throws {
        let text = "#!/bin/sh\necho \"${0##*/} $# ${TMPDIR-none} $FSFREEZE_ACTION\" >>\(guest.path("calls"))\n\(rest)\n"
        try Files.write(text, to: guest.path("opt/\(name)"), mode: mode)
    }

    private var calls: [String] { Files.text(of: guest.path("calls")).split(separator: "\n").map(String.init) }
    private var output: [String] { guest.output(of: "20-scripts") }

    @Test func `The first is run at the freeze, the second at the thaw, without arguments`() throws {
        try script("pre", then: "echo locked")
        #expect(try guest.run("freeze") == 0)
        #expect(try guest.run("thaw") == 0)
        #expect(calls == ["pre 0 none freeze", "post 0 none thaw"])
        #expect(output == ["locked"])
        #expect(guest.verdict == "application-consistent", "\(guest.log)")
        #expect(try guest.run("thaw") == 0)
        #expect(calls.count == 2)
    }

    @Test func `Sections are pairs, and a pair may have one script`() throws {
        try script("other")
        try guest.configure(
            "scripts", "[dump]\nfreeze = \(guest.path("opt/pre"))\n[clean]\nthaw = \(guest.path("opt/other"))\n")
        #expect(try guest.run("freeze") == 0)
        #expect(calls == ["pre 0 none freeze"])
        #expect(try guest.run("thaw") == 0)
        #expect(calls == ["pre 0 none freeze", "other 0 none thaw"])
        #expect(guest.verdict == "application-consistent", "\(guest.log)")
    }

    @Test func `A first script that fails is followed by the second one, and the hook fails`() throws {
        try script("pre", then: "exit 7")
        #expect(try guest.run("freeze") == 0)
        #expect(calls == ["pre 0 none freeze", "post 0 none freeze"])
        #expect(output.last == "\(guest.path("opt/pre")) finished with status=7")
        #expect(guest.ending(of: "20-scripts")?.contains("status=1") == true)
        #expect(try guest.run("thaw") == 0)
        #expect(calls.count == 2)
    }

    @Test func `The status of the second script is its answer, and one that is killed is run again`() throws {
        try script("post", then: "exit 7")
        #expect(try guest.run("freeze") == 0)
        #expect(try guest.run("thaw") == 0)
        #expect(output.last == "\(guest.path("opt/post")) finished with status=7")
        #expect(guest.ending(of: "20-scripts", "thaw")?.contains("status=1") == true)
        #expect(!guest.runFiles.contains("recipe-scripts"))

        try script("post", then: "kill -KILL $$")
        #expect(try guest.run("freeze") == 0)
        #expect(try guest.run("thaw") == 0)
        #expect(guest.runFiles.contains("recipe-scripts"))
        try script("post")
        #expect(try guest.run("freeze") == 0)
        // The killed one, again before the next freeze, and that freeze.
        #expect(calls.suffix(3) == ["post 0 none thaw", "post 0 none thaw", "pre 0 none freeze"])
        #expect(try guest.run("thaw") == 0)
    }

    @Test func `Without a configuration it fails and says what to write`() throws {
        try guest.configure("scripts", "")
        #expect(try guest.run("freeze") == 0)
        #expect(output.last?.hasSuffix("scripts.conf names no script: freeze = PATH, thaw = PATH") == true)
        #expect(guest.ending(of: "20-scripts")?.contains("status=1") == true)
    }

    /// A way to put a script where somebody else can write, and what the log says; D is the directory.
    struct Unsafe: CustomTestStringConvertible, Sendable {
        var testDescription: String
        var says: String
        var make: @Sendable (String) throws -> Void
    }

    static let unsafe = [
        Unsafe(testDescription: "writable by others", says: "D/opt/post is writable by others than root") {
            chmod("\($0)/opt/post", 0o757)
        },
        Unsafe(testDescription: "writable by root's group", says: "D/opt/post is writable by others than root") {
            chmod("\($0)/opt/post", 0o775)
        },
        Unsafe(testDescription: "of another user", says: "D/opt/post belongs to user 4711") {
            chown("\($0)/opt/post", 4711, 0)
        },
        Unsafe(testDescription: "in a directory writable by others", says: "D/opt is writable by others than root") {
            chmod("\($0)/opt", 0o777)
        },
        Unsafe(testDescription: "in a sticky directory", says: "D/opt is writable by others than root") {
            chmod("\($0)/opt", 0o1777)
        },
        Unsafe(testDescription: "in a directory of another user", says: "D/opt belongs to user 4711") {
            chown("\($0)/opt", 4711, 0)
        },
        Unsafe(testDescription: "behind a link of another user", says: "D/opt/post belongs to user 4711") {
            rename("\($0)/opt/post", "\($0)/opt/real")
            try Files.link("\($0)/opt/post", to: "real")
            lchown("\($0)/opt/post", 4711, 0)
        },
        Unsafe(testDescription: "behind a link in an open directory", says: "D/open is writable by others than root") {
            try Files.makeDirectory("\($0)/open", mode: 0o777)
            rename("\($0)/opt/post", "\($0)/opt/real")
            try Files.link("\($0)/open/way", to: "../opt/./real")
            try Files.link("\($0)/opt/post", to: "../open/way")
        },
        Unsafe(testDescription: "a loop of links", says: "D/opt/post: too many links") {
            unlink("\($0)/opt/post")
            try Files.link("\($0)/opt/post", to: "post")
        },
        Unsafe(testDescription: "not executable", says: "D/opt/post is no executable file") {
            chmod("\($0)/opt/post", 0o644)
        },
        Unsafe(testDescription: "a directory", says: "D/opt/post is no executable file") {
            unlink("\($0)/opt/post")
            try Files.makeDirectory("\($0)/opt/post")
        },
        Unsafe(testDescription: "nothing", says: "D/opt/post is no executable file") { unlink("\($0)/opt/post") },
    ]

    @Test(arguments: unsafe)
    func `A script that somebody else can write is not run, and neither is its pair`(case unsafe: Unsafe) throws {
        let directory = String(guest.path("").dropLast())
        try unsafe.make(directory)
        #expect(try guest.run("freeze") == 0)
        #expect(guest.ending(of: "20-scripts")?.contains("status=1") == true)
        #expect(output.first?.hasPrefix(unsafe.says.replacing("D/", with: "\(directory)/")) == true, "\(output)")
        #expect(calls == [])
    }

    @Test func `A script behind safe links is run`() throws {
        try Files.makeDirectory(guest.path("lib"))
        try guest.execute(["mv", guest.path("opt/post"), guest.path("lib/real")])
        try Files.link(guest.path("opt/second"), to: "\(guest.path("lib"))/../lib/./real")
        try Files.link(guest.path("opt/post"), to: "second")
        #expect(try guest.run("freeze") == 0)
        #expect(try guest.run("thaw") == 0)
        #expect(calls == ["pre 0 none freeze", "post 0 none thaw"])
    }

    @Test func `A relative path is no path`() throws {
        try guest.configure("scripts", "freeze = pre\n")
        #expect(try guest.run("freeze") == 0)
        #expect(output.last?.hasSuffix("scripts.conf: pre is no path that begins with /") == true)
    }
}
