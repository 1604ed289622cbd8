// SPDX-License-Identifier: Apache-2.0

import Glibc
import SystemPackage
import TestSupport
import Testing

@testable import FreezeHook
@testable import FreezeHookBase

/// The place of the file by which qemu-ga notes that it holds filesystems frozen.
@Suite struct AgentStateTests {
    private let fixture: SystemFixture
    private var tree: SystemTree { SystemTree(root: FilePath(fixture.root)) }

    init() throws {
        fixture = try SystemFixture(.debian12)
        fixture.remove("/proc/\(SystemFixture.agent)")
        try fixture.file("/usr/sbin/qemu-ga", "", mode: 0o755)
    }

    /// A process with an executable, and the user that it runs as.
    private func process(
        _ arguments: [String], exe: String = "/usr/sbin/qemu-ga", users: String = "0\t0\t0\t0", container: String? = nil
    ) throws {
        try fixture.process(900, "qemu-ga", arguments, container: container)
        try fixture.file("/proc/900/status", "Name:\tqemu-ga\nUid:\t\(users)\n")
        fixture.remove("/proc/900/exe")
        try fixture.link("/proc/900/exe", to: exe)
    }

    private var directories: [String] {
        AgentState(in: tree).files.map { $0.removingLastComponent().string }.filter {
            !AgentState.directories.map(\.string).contains($0)
        }
    }

    private func isFrozen() -> Bool { AgentState(in: tree).isFrozen }

    @Test(arguments: AgentState.directories.map(\.string))
    func `Agents are built with one of these directories`(directory: String) throws {
        #expect(!isFrozen())
        try fixture.file("\(directory)/qga.state.isfrozen", "")
        #expect(isFrozen())
    }

    @Test func `An agent that runs says where`() throws {
        for words in [
            ["-t", "/run/a"], ["-t/run/a"], ["--statedir=/run/a"], ["-vt/run/a", "-F/x"], ["--state", "/run/a"],
        ] {
            try process(["qemu-ga"] + words)
            #expect(directories == ["/run/a"], "\(words)")
        }
        try process(["qemu-ga", "-F/x"])
        #expect(directories == [])
        try fixture.file("/etc/qemu/qemu-ga.conf", "[general]\nstatedir=/run/b\n")
        #expect(directories == ["/run/b"])
        try process(["qemu-ga", "-t", "/run/a"])
        #expect(Set(directories) == ["/run/a", "/run/b"])
        fixture.remove("/etc/qemu/qemu-ga.conf")
        try fixture.file("/etc/own.conf", "[general]\nstatedir=/run/c\n")
        try process(["qemu-ga"])
        try fixture.file("/proc/900/environ", "A=1\0QGA_CONF=/etc/own.conf\0")
        #expect(directories == ["/run/c"])
        try fixture.file("/run/c/qga.state.isfrozen", "")
        #expect(isFrozen())
    }

    @Test func `An agent that does not run says where by its service`() throws {
        let unit = "/etc/systemd/system/qemu-guest-agent.service"
        try fixture.file(unit, "[Service]\nExecStart=/usr/sbin/qemu-ga --statedir /run/qemu-ga\n")
        #expect(directories == [])
        fixture.remove("/usr/lib/systemd/system/qemu-guest-agent.service.d")
        #expect(directories == ["/run/qemu-ga"])
        try fixture.file("/run/qemu-ga/qga.state.isfrozen", "")
        #expect(isFrozen())
    }

    @Test func `A user's process called qemu-ga says nothing`() throws {
        let words = ["qemu-ga", "-t", "/home/bob"]
        try fixture.file("/home/bob/qga.state.isfrozen", "")
        try process(words, users: "1000\t1000\t1000\t1000")
        #expect(directories == [])
        // A setuid program that he has given the name, and its argument.
        try fixture.link("/home/bob/qemu-ga", to: "/usr/bin/su")
        try fixture.file("/usr/bin/su", "", mode: 0o4755)
        try process(words, exe: "/usr/bin/su", users: "1000\t0\t0\t0")
        #expect(directories == [])
        try fixture.file("/srv/qemu-ga", "", mode: 0o4755)
        try process(words, exe: "/srv/qemu-ga")
        #expect(directories == [])
        try process(words, exe: "/usr/bin/python3")
        #expect(directories == [])
        try fixture.file("/home/bob/bin/qemu-ga", "", mode: 0o755)
        try succeed("chown", chown("\(fixture.root)/home/bob/bin/qemu-ga", 1000, 1000))
        try process(words, exe: "/home/bob/bin/qemu-ga")
        #expect(directories == [])
        try fixture.file("/opt/qemu-ga", "", mode: 0o777)
        try succeed("chmod", chmod("\(fixture.root)/opt/qemu-ga", 0o777))
        try process(words, exe: "/opt/qemu-ga")
        #expect(directories == [])
        try process(words, container: "unknown")
        #expect(directories == [])
        #expect(!isFrozen())
        try process(words)
        #expect(directories == ["/home/bob"])
    }

    @Test func `A file that somebody else has made, or a link, says nothing`() throws {
        try process(["qemu-ga", "-t", "/tmp"])
        let file = "\(fixture.root)/tmp/qga.state.isfrozen"
        try fixture.file("/tmp/qga.state.isfrozen", "")
        #expect(isFrozen())
        try succeed("chown", chown(file, 1000, 1000))
        #expect(!isFrozen())
        fixture.remove("/tmp/qga.state.isfrozen")
        try fixture.link("/tmp/qga.state.isfrozen", to: "/etc/qemu/fsfreeze-hook")
        #expect(!isFrozen())
    }

    @Test func `A file that is named is the only one`() throws {
        try fixture.file("/run/qga.state.isfrozen", "")
        #expect(AgentState(file: FilePath("\(fixture.root)/run/qga.state.isfrozen")).isFrozen)
        #expect(!AgentState(file: FilePath("\(fixture.root)/run/other")).isFrozen)
    }
}
