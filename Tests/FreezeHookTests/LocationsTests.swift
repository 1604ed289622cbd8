// SPDX-License-Identifier: Apache-2.0

import Glibc
import SystemPackage
import TestSupport
import Testing

@testable import FreezeHook
@testable import FreezeHookAdmin
@testable import FreezeHookBase
@testable import FreezeHookRecipes

/// The locations of hooks and configuration.
@Suite struct LocationsTests {
    private static let systemDirectories: [FilePath] = ["/etc/qemu/fsfreeze-hook.d", "/etc/qemu-ga/fsfreeze-hook.d"]

    @Test func `The directory beside the path that the program was called by`() throws {
        let directory = try TemporaryDirectory()
        let hooks = try directory.makeDirectory("fsfreeze-hook.d")
        // The program itself need not be there.
        let locations = Locations(calledPath: directory.file("fsfreeze-hook"))
        #expect(locations.hookDirectory == hooks)
        #expect(locations.configuration == directory.file("fsfreeze-hook.conf"))
    }

    @Test func `First beside the link, then beside its target`() throws {
        let directory = try TemporaryDirectory()
        try directory.makeDirectory("bin")
        try directory.makeDirectory("etc")
        try directory.makeFile("bin/fsfreeze-hook")
        let link = try directory.makeLink("etc/fsfreeze-hook", to: "../bin/fsfreeze-hook")
        let target = try directory.makeDirectory("bin/fsfreeze-hook.d")
        #expect(Locations(calledPath: link).hookDirectory == target)
        #expect(Locations(calledPath: link).configuration == directory.file("bin/fsfreeze-hook.conf"))
        let beside = try directory.makeDirectory("etc/fsfreeze-hook.d")
        #expect(Locations(calledPath: link).hookDirectory == beside)
        #expect(Locations(calledPath: link).configuration == directory.file("etc/fsfreeze-hook.conf"))
    }

    @Test func `A link to a directory is one, a file is none`() throws {
        let directory = try TemporaryDirectory()
        try directory.makeFile("fsfreeze-hook.d")
        let called = directory.file("fsfreeze-hook")
        #expect(Self.systemDirectories.contains(Locations(calledPath: called).hookDirectory))
        unlink("\(directory.path)/fsfreeze-hook.d")
        try directory.makeDirectory("elsewhere")
        try directory.makeLink("fsfreeze-hook.d", to: "elsewhere")
        #expect(Locations(calledPath: called).hookDirectory == directory.file("fsfreeze-hook.d"))
    }

    @Test(arguments: ["fsfreeze-hook", "", "/nonexistent/fsfreeze-hook"] as [FilePath])
    func `Called without a path the system's directory is meant`(calledPath: FilePath) async throws {
        let root = try TemporaryDirectory()
        try root.makeDirectory("etc")
        try root.makeDirectory("fsfreeze-hook.d")
        // chroot(2) in a process of its own keeps the machine's own /etc out.
        await #expect(processExitsWith: .success) {
            [root = root.path as String, called = calledPath.string as String] in
            try succeed("chroot", chroot(root))
            func directory() -> FilePath { Locations(calledPath: FilePath(called)).hookDirectory }
            #expect(directory() == "/etc/qemu/fsfreeze-hook.d")
            try Files.makeDirectory("/etc/qemu-ga")
            #expect(directory() == "/etc/qemu/fsfreeze-hook.d")
            try Files.makeDirectory("/etc/qemu-ga/fsfreeze-hook.d")
            #expect(directory() == "/etc/qemu-ga/fsfreeze-hook.d")
            try Files.makeDirectory("/etc/qemu")
            #expect(directory() == "/etc/qemu-ga/fsfreeze-hook.d")
            try Files.makeDirectory("/etc/qemu/fsfreeze-hook.d")
            #expect(directory() == "/etc/qemu/fsfreeze-hook.d")
            #expect(Locations(calledPath: FilePath(called)).configuration == "/etc/qemu/fsfreeze-hook.conf")
        }
    }

    /// The directories of a system, with the names in each, and the one where the program looks for hooks.
    struct Found: CustomTestStringConvertible, Sendable {
        var testDescription: String
        var beside: [String]? = nil
        var qemu: [String]?
        var agent: [String]?
        var chosen: FilePath
    }

    // x: an executable; everything else is named after what it is.
    static let found = [
        Found(
            testDescription: "an empty directory hides none", qemu: [], agent: ["x"], chosen: Self.systemDirectories[1]),
        Found(
            testDescription: "names that are ignored are no hooks", qemu: ["x.sample", ".x", "x.rpmsave"],
            agent: ["x"], chosen: Self.systemDirectories[1]),
        Found(
            testDescription: "neither is what cannot run", qemu: ["plain", "empty", "masked", "dangling", "directory"],
            agent: ["x"], chosen: Self.systemDirectories[1]),
        Found(testDescription: "the first with hooks", qemu: ["x"], agent: ["x"], chosen: Self.systemDirectories[0]),
        Found(testDescription: "both empty", qemu: [], agent: [], chosen: Self.systemDirectories[0]),
        Found(
            testDescription: "what cannot be looked at may be a hook", qemu: ["loop"], agent: ["x"],
            chosen: Self.systemDirectories[0]),
        Found(
            testDescription: "a hook that is refused is one", qemu: ["open"], agent: ["x"],
            chosen: Self.systemDirectories[0]),
        Found(
            testDescription: "the called path comes first", beside: ["x"], qemu: ["x"], agent: ["x"],
            chosen: "/opt/fsfreeze-hook.d"),
        Found(
            testDescription: "also with another one that is empty", beside: ["x"], qemu: [], agent: nil,
            chosen: "/opt/fsfreeze-hook.d"),
        Found(
            testDescription: "but not when it is empty", beside: [], qemu: [], agent: ["x"],
            chosen: Self.systemDirectories[1]),
        Found(
            testDescription: "an empty one is better than none", beside: [], qemu: nil, agent: nil,
            chosen: "/opt/fsfreeze-hook.d"),
    ]

    private func make(_ names: [String]?, in directory: String) throws {
        guard let names else { return }
        try Files.makeDirectory(directory)
        for name in names {
            let path = "\(directory)/\(name)"
            switch name {
            case "plain": try Files.write("#!/bin/sh\n", to: path)
            case "empty": try Files.write("", to: path, mode: 0o755)
            case "masked": try Files.link(path, to: "/dev/null")
            case "dangling": try Files.link(path, to: "/nowhere")
            case "directory": try Files.makeDirectory(path)
            case "loop": try Files.link(path, to: "loop")
            case "open": try Files.write("#!/bin/sh\n", to: path, mode: 0o777)
            default: try Files.write("#!/bin/sh\n", to: path, mode: 0o755)
            }
        }
    }

    @Test(arguments: found)
    func `Hooks are looked for where hooks are, and a system below a directory has the same rule`(found: Found)
        async throws
    {
        let root = try TemporaryDirectory()
        for name in ["opt", "etc", "etc/qemu", "etc/qemu-ga", "dev"] { try root.makeDirectory(name) }
        try make(found.beside, in: "\(root.path)/opt/fsfreeze-hook.d")
        try make(found.qemu, in: "\(root.path)/etc/qemu/fsfreeze-hook.d")
        try make(found.agent, in: "\(root.path)/etc/qemu-ga/fsfreeze-hook.d")
        let tree = SystemTree(root: root.file(""))
        let below = HookSearch.directory(
            among: HookSearch.candidates(calledPath: "/opt/fsfreeze-hook", in: tree), in: tree)
        #expect(below == found.chosen)
        await #expect(processExitsWith: .success) {
            [root = root.path as String, chosen = found.chosen.string as String] in
            try succeed("chroot", chroot(root))
            #expect(Locations(calledPath: "/opt/fsfreeze-hook").hookDirectory.string == chosen)
        }
    }

    @Test func `A directory that cannot be looked at may hold hooks`() async throws {
        let root = try TemporaryDirectory()
        for name in ["etc", "etc/qemu", "etc/qemu-ga"] { try root.makeDirectory(name) }
        try make([], in: "\(root.path)/etc/qemu/fsfreeze-hook.d")
        try make(["x"], in: "\(root.path)/etc/qemu-ga/fsfreeze-hook.d")
        try succeed("chmod", chmod("\(root.path)/etc/qemu/fsfreeze-hook.d", 0))
        await #expect(processExitsWith: .success) { [root = root.path as String] in
            try succeed("chroot", chroot(root))
            try succeed("setuid", setuid(stranger))
            #expect(Locations(calledPath: "").hookDirectory == "/etc/qemu/fsfreeze-hook.d")
        }
    }

    @Test func `Options come before everything, and the configuration follows the hooks`() throws {
        let directory = try TemporaryDirectory()
        try directory.makeDirectory("fsfreeze-hook.d")
        let called = directory.file("fsfreeze-hook")
        let hooks = Locations(calledPath: called, hookDirectory: "/a/hooks.d/")
        #expect(hooks.hookDirectory == "/a/hooks.d")
        #expect(hooks.configuration == "/a/fsfreeze-hook.conf")
        let both = Locations(calledPath: called, hookDirectory: "/a/hooks.d", configuration: "/b/c.conf")
        #expect(both.configuration == "/b/c.conf")
        let configuration = Locations(calledPath: called, configuration: "/b/c.conf")
        #expect(configuration.hookDirectory == directory.file("fsfreeze-hook.d"))
        #expect(configuration.configuration == "/b/c.conf")
    }

    @Test func `A path that is not absolute begins at the working directory`() throws {
        let current = try #require(getcwd(nil, 0))
        defer { free(current) }
        let here = FilePath(platformString: current)
        let locations = Locations(calledPath: "", hookDirectory: "a/hooks.d", configuration: "c.conf")
        #expect(locations.hookDirectory == here.appending("a/hooks.d"))
        #expect(locations.configuration == here.appending("c.conf"))
        #expect(absolute("/x") == "/x")
    }

    @Test func `The other places are where they are documented`() {
        let locations = Locations(calledPath: "/nonexistent/fsfreeze-hook")
        #expect(locations.logFile == nil)
        #expect(locations.runDirectory == "/run/fsfreeze-hook")
        #expect(locations.stateDirectory == "/var/lib/fsfreeze-hook")
        #expect(locations.agentState == nil)
    }
}
