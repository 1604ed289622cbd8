// SPDX-License-Identifier: Apache-2.0

import Foundation
import Glibc
import SystemPackage
import TestSupport
import Testing

@testable import FreezeHook
@testable import FreezeHookAdmin
@testable import FreezeHookBase
@testable import FreezeHookRecipes

/// `setup --root` and `check --root` on an image whose owner wants to reach the machine that they are called on.
@Suite struct HostileImageTests {
    /// Makes a path of the image lead to a directory outside, over more links than the kernel follows.
    private func leadOut(_ fixture: SystemFixture, _ path: String, to outside: String) throws {
        fixture.remove(path)
        fixture.remove("/links")
        let depth = 50
        try fixture.link(path, to: "/links/0")
        for number in 0..<depth { try fixture.link("/links/\(number)", to: "/links/\(number + 1)") }
        try fixture.link("/links/\(depth)", to: outside)
    }

    /// Writes a manifest as a set-up would have left it.
    private func manifest(_ fixture: SystemFixture, _ changes: [SetupChange]) throws {
        let entries = changes.map { SetupManifest.Entry(change: $0, isMade: true) }
        try fixture.file("/var/lib/fsfreeze-hook/setup.json", try JSONText.line(of: entries), mode: 0o600)
    }

    private func undo(_ fixture: SystemFixture) throws -> SetupReport {
        var setup = try Setup(fixture.machine())
        return try setup.undo()
    }

    private func apply(_ fixture: SystemFixture) throws -> SetupReport {
        var setup = try Setup(fixture.machine())
        return try setup.apply()
    }

    @Test(arguments: [SystemTree.Lookup.kernel, .components])
    func `No number of links leads out of it`(lookup: SystemTree.Lookup) throws {
        let fixture = try SystemFixture(.debian12)
        let outside = try TemporaryDirectory()
        try outside.makeFile("secret", "secret")
        try leadOut(fixture, "/etc/out", to: outside.path)
        let tree = SystemTree(root: FilePath(fixture.root))
        for path: FilePath in ["/etc/out", "/etc/out/secret", "/links/0/secret"] {
            #expect(throws: Errno.tooManySymbolicLinkLevels) { try tree.locate(path, by: lookup).close() }
            #expect(throws: Errno.tooManySymbolicLinkLevels) { try tree.place(of: path) }
        }
        // 40 links are followed, inside.
        try fixture.file("\(outside.path)/secret", "inside")
        let end = try tree.locate("/links/11/secret", by: lookup)
        #expect(SystemTree.bytes(of: end) == Array("inside".utf8))
        #expect(throws: Errno.tooManySymbolicLinkLevels) { try tree.locate("/links/10/secret", by: lookup).close() }
    }

    @Test func `The kernel and the walk by components find the same`() throws {
        let fixture = try SystemFixture(.debian12)
        try fixture.file("/a/b/c", "")
        try fixture.link("/a/up", to: "../../../a/./b")
        try fixture.link("/a/absolute", to: "/a/up/../absolute2")
        try fixture.link("/a/absolute2", to: "//a///b/")
        try fixture.link("/a/loop", to: "loop")
        try fixture.link("/a/gone", to: "/nowhere/at/all")
        try fixture.link("/a/file", to: "b/c")
        let tree = SystemTree(root: FilePath(fixture.root))
        func outcome(_ path: String, _ follows: Bool, _ lookup: SystemTree.Lookup) -> String {
            do throws(Errno) {
                let found = try tree.locate(FilePath(path), follows: follows, by: lookup)
                var status = stat()
                fstat(found.number, &status)
                return "\(status.st_dev) \(status.st_ino)"
            } catch {
                return "\(error)"
            }
        }
        let paths = [
            "/", "/a", "/a/", "/a/b/c", "/a/b/../b/./c", "/../../a/b", "/a/up", "/a/up/c", "/a/up/../b/c",
            "/a/absolute",
            "/a/absolute/c", "/a/loop", "/a/loop/x", "/a/gone", "/a/gone/x", "/nothing", "/nothing/x", "/a/b/c/x",
            "/a/file", "/a/file/..", "/a/file/.", "/a/b/c/../c", "/a/nothing/../b",
            "/" + String(repeating: "x", count: 300),
        ]
        var found = 0
        for path in paths {
            for follows in [true, false] {
                let byKernel = outcome(path, follows, .kernel)
                #expect(outcome(path, follows, .components) == byKernel, "\(path), \(follows)")
                if byKernel.contains(where: \.isNumber) { found += 1 }
            }
        }
        #expect(found > 20)
    }

    @Test func `Apply writes inside, wherever links lead`() throws {
        let fixture = try SystemFixture(.debian12, isWired: false)
        let outside = try TemporaryDirectory()
        for place in ["/etc/systemd", "/etc/qemu", "/var/lib/fsfreeze-hook"] {
            fixture.remove(place)
            try fixture.link(place, to: outside.path)
        }
        try fixture.addMariaDB(isEnabled: false)
        _ = try? apply(fixture)
        #expect(try Files.names(in: outside.path) == [])
        for place in ["/etc/systemd", "/etc/qemu", "/var/lib/fsfreeze-hook"] {
            try leadOut(fixture, place, to: outside.path)
            _ = try? apply(fixture)
            _ = try fixture.findings()
        }
        #expect(try Files.names(in: outside.path) == [])
    }

    @Test func `Its manifest makes, overwrites and removes nothing outside`() throws {
        let fixture = try SystemFixture(.debian12)
        let outside = try TemporaryDirectory()
        try outside.makeFile("60-fsfreeze-hook-recover.conf", "old\n", mode: 0o644)
        let name = "qemu-guest-agent.service"
        try leadOut(fixture, "/etc/systemd/system/\(name).d", to: outside.path)
        func harmful(_ before: FileState, _ after: FileState) -> SetupChange {
            SetupChange(
                path: "/etc/systemd/system/\(name).d/60-fsfreeze-hook-recover.conf", before: before, after: after)
        }
        let old = FileState.file(bytes: Array("old\n".utf8), mode: 0o644)
        for change in [harmful(.file(bytes: [65], mode: 0o755), .absent), harmful(.absent, old)] {
            try manifest(fixture, [change])
            _ = try? undo(fixture)
            #expect(Files.text(of: "\(outside.path)/60-fsfreeze-hook-recover.conf") == "old\n")
            #expect(try Files.names(in: outside.path) == ["60-fsfreeze-hook-recover.conf"])
        }
    }

    static let foreignChanges: [SetupChange] = [
        // A file that no set-up writes, also when it is spelled as one that does.
        SetupChange(path: "/etc/shadow", before: .file(bytes: [65], mode: 0o600), after: .absent),
        SetupChange(path: "/etc/qemu/../shadow", before: .file(bytes: [65], mode: 0o600), after: .absent),
        SetupChange(path: "/etc/qemu/fsfreeze-hook.d/50-x", before: .file(bytes: [65], mode: 0o755), after: .absent),
        SetupChange(path: "etc/qemu/qemu-ga.conf", before: .file(bytes: [65], mode: 0o644), after: .absent),
        SetupChange(
            path: "/etc/systemd/system/ssh.service.d/60-fsfreeze-hook.conf", before: .absent,
            after: .file(bytes: [65], mode: 0o644)),
        // Bits that no set-up gives.
        SetupChange(
            path: "/etc/qemu/qemu-ga.conf", before: .file(bytes: [65], mode: 0o4755),
            after: .file(bytes: Array("kept\n".utf8), mode: 0o644)),
        SetupChange(
            path: "/etc/qemu/qemu-ga.conf", before: .absent, after: .file(bytes: Array("kept\n".utf8), mode: 0o2644)),
        SetupChange(path: "/etc/qemu/fsfreeze-hook.d/50-x", before: .link(to: "/x"), after: .absent),
        SetupChange(path: "/etc", before: .directory, after: .absent),
        SetupChange(path: "/home", before: .absent, after: .directory),
        SetupChange(path: "", before: .absent, after: .directory),
        SetupChange(path: "/etc/qemu/\u{1b}[31m", before: .other, after: .absent),
    ]

    @Test(arguments: foreignChanges.indices) func `Undo takes back only what setup itself does`(index: Int) throws {
        let fixture = try SystemFixture(.debian12)
        try fixture.file("/etc/qemu/qemu-ga.conf", "kept\n")
        try fixture.makeDirectory("/home")
        try fixture.file("/etc/systemd/system/ssh.service.d/60-fsfreeze-hook.conf", "A")
        try manifest(fixture, [Self.foreignChanges[index]])
        let before = try fixture.contents(of: "")
        let report = try undo(fixture)
        #expect(try fixture.contents(of: "").keys == before.keys)
        #expect(fixture.text(of: "/etc/qemu/qemu-ga.conf") == "kept\n")
        #expect(report.changes.isEmpty && !report.isGood)
        #expect(report.attention.first?.contains("is nothing that 'setup' changes") == true)
        #expect(report.attention.first?.contains("\u{1b}") == false)
        #expect(Files.exists("\(fixture.root)/var/lib/fsfreeze-hook/setup.json"), "what was not done stays noted")
    }

    @Test func `What setup writes has no bits of a file that was there`() throws {
        let fixture = try SystemFixture(.openSUSE, isWired: false)
        try fixture.file("/etc/qemu/qemu-ga.conf", "[general]\n", mode: 0o4755)
        #expect(try apply(fixture).changed)
        #expect(Files.mode(of: "\(fixture.root)/etc/qemu/qemu-ga.conf") == S_IFREG | 0o755)
        #expect(try undo(fixture).changed)
        #expect(Files.mode(of: "\(fixture.root)/etc/qemu/qemu-ga.conf") == S_IFREG | 0o755)
    }

    /// Paths that `setup` and `check` read.
    static let readPaths = [
        "/etc/qemu/qemu-ga.conf", "/usr/lib/systemd/system/qemu-guest-agent.service",
        "/var/lib/fsfreeze-hook/setup.json",
        "/etc/qemu/fsfreeze-hook.conf", "/var/log/qga-fsfreeze-hook.log", "/var/lib/fsfreeze-hook/history.jsonl",
        "/var/lib/fsfreeze-hook/image", "/run/fsfreeze-hook/cycle", "/etc/qemu/fsfreeze-recipes.d/mariadb.conf",
        "/var/lib/containers/storage/overlay-containers/containers.json", "/proc/500/comm", "/etc/logrotate.conf",
        "/etc/qemu/fsfreeze-hook.d/10-x", "/usr/libexec/fsfreeze-hook/recipes/mariadb", "/etc/login.defs",
    ]

    @Test(.timeLimit(.minutes(1)), arguments: readPaths)
    func `A FIFO or a device in place of a file holds nothing up`(path: String) throws {
        let fixture = try SystemFixture(.debian12, isWired: false)
        try fixture.addMariaDB(isEnabled: false)
        for kind in [S_IFIFO | 0o644, S_IFCHR | 0o644] {
            fixture.remove(path)
            try fixture.makeDirectory(FilePath(path).removingLastComponent().string)
            // makedev(1, 5) is /dev/zero, which has no end.
            try succeed("mknod", mknod(fixture.root + path, kind, 1 << 8 | 5))
            _ = try fixture.findings()
            _ = try? apply(fixture)
            _ = try? undo(fixture)
        }
    }
}
