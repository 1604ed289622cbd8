// SPDX-License-Identifier: Apache-2.0

import SystemPackage
import TestSupport
import Testing

@testable import FreezeHook
@testable import FreezeHookAdmin
@testable import FreezeHookBase
@testable import FreezeHookRecipes

/// The options of a qemu-ga, beside those that a real one prints.
@Suite struct AgentOptionsTests {
    private static let file = """
        # a comment
        [general]
        method = virtio-serial
        fsfreeze-hook = /opt/hook
        block-rpcs = guest-exec,guest-file-open

        """

    /// The options that a real qemu-ga prints, a configuration file that it can read again; nil when it refuses.
    private func dump(_ file: FilePath, _ arguments: [String], in directory: TemporaryDirectory) throws -> AgentOptions?
    {
        let agent = try Tools.command("qemu-ga", package: "qemu-guest-agent")
        let shown = try ChildProcess([agent, "-D"] + arguments, environment: ["QGA_CONF": file.string]).wait(within: 30)
        if shown.status != 0 { return nil }
        let dump = try directory.makeFile("dump.conf", shown.stdout, mode: 0o644)
        return AgentOptions(arguments: [], configuration: dump, in: .machine)
    }

    private func expectAlike(_ text: String, _ arguments: [String]) throws {
        let directory = try TemporaryDirectory()
        let file = try directory.makeFile("qemu-ga.conf", text, mode: 0o644)
        let understood = AgentOptions(arguments: arguments, configuration: file, in: .machine)
        guard let said = try dump(file, arguments, in: directory) else {
            #expect(understood.faultyLine != nil, "\(text)")
            return
        }
        #expect(understood.faultyLine == nil)
        #expect(understood.hook == said.hook)
        #expect(understood.blocked == said.blocked)
        #expect(understood.method == said.method)
        // qemu-ga always prints its directory.
        #expect(understood.stateDirectory ?? "/var/run" == said.stateDirectory)
    }

    @Test(arguments: [
        [], ["-F"], ["-F/usr/sbin/fsfreeze-hook"], ["--fsfreeze-hook"], ["--fsfreeze-hook=/opt/a b"], ["-F/a", "-F/b"],
        ["-F", "/opt/blank"], ["--fsfreeze-hook", "/opt/blank"], ["-vF/x", "-rt/run/x"], ["--", "-F/x"],
        ["-b", "guest-ping"], ["-bguest-ping,guest-exec"], ["--block-rpcs=guest-fsfreeze-freeze", "-b", "guest-ping"],
        ["--block-rpcs", "guest-ping"], ["--blacklist=guest-ping, guest-exec"],
        ["-m", "isa-serial", "-p", "/dev/ttyS0"],
        ["-v", "-F/x", "-t", "/run"], ["--statedir", "/x"], ["--state=/y", "--fsf=/z"],
        ["word", "-t/x", "--statedir=/y"],
        ["-p", "-F/not/a/hook"], ["-l", "-t", "-F/a"],
    ])
    func `A real qemu-ga understands them alike`(arguments: [String]) throws {
        for text in ["", "[general]\nverbose=true\n", Self.file] { try expectAlike(text, arguments) }
    }

    @Test(arguments: [
        "[other]\nfsfreeze-hook = /a\n", "[ general ]\nfsfreeze-hook=/a\n",
        "[general]\nfsfreeze-hook = /a\n[other]\nx=1\n[general]\nfsfreeze-hook=/b\n",
        "[general]\nblock-rpcs=guest-ping\nblock-rpcs=guest-exec\n",
        "[general]\nblacklist =\nblock-rpcs = guest-exec\n",
        "[general]\nblock-rpcs = guest-exec, guest-fsfreeze-status\n", "[general]\nblock-rpcs = guest-exec,\n",
        "[general]\nfsfreeze-hook=/a\\sb\\\\c\n", "[general]\r\nfsfreeze-hook=/b\r\n",
        "[general]  \n  statedir  =  /x\n",
        "[general]\n;fsfreeze-hook = /a\n", "[general]\nfsfreeze-hook = /a # comment\n",
        "[general]\n#fsfreeze-hook=/a\n",
        "fsfreeze-hook = /a\n[general]\n", "[general]\nnonsense\n", "[general\nfsfreeze-hook=/a\n",
        "[general]\nstatedir=/run/qemu-ga\n",
    ])
    func `A real qemu-ga reads its file alike`(text: String) throws {
        try expectAlike(text, [])
    }

    @Test func `Older and newer names of the lists`() {
        let options = AgentOptions(
            arguments: ["--blacklist=guest-exec", "--allow-rpcs=guest-ping,guest-exec,guest-fsfreeze-thaw"],
            in: .machine)
        #expect(options.forbids("guest-exec"))
        #expect(options.forbids("guest-fsfreeze-freeze"))
        #expect(!options.forbids("guest-fsfreeze-thaw"))
        // An empty list allows all.
        #expect(!AgentOptions(arguments: ["--allow-rpcs="], in: .machine).forbids("guest-exec"))
    }

    @Test func `Each option has its place`() throws {
        let fixture = try SystemFixture(.debian12, isWired: false)
        let unit = "/etc/systemd/system/qemu-guest-agent.service"
        try fixture.file(
            unit, "[Service]\nEnvironmentFile=/etc/ga.env\nExecStart=/usr/sbin/qemu-ga $ARGS -F/opt/hook -t/run/ga\n")
        try fixture.file("/etc/ga.env", "ARGS='--block-rpcs=guest-exec'\n")
        try fixture.file("/etc/qemu/qemu-ga.conf", "[general]\nallow-rpcs=guest-ping\nfsfreeze-hook=/opt/other\n")
        let options = try #require(try fixture.machine().agent.configured)
        #expect(options.hook == "/opt/hook")
        #expect(options.hookPlace.map { "\($0)" } == "ExecStart in \(unit)")
        #expect(options.blocking.map { $0.place.map { "\($0)" } } == ["ARGS in /etc/ga.env"])
        #expect(options.allowing.map { $0.place.map { "\($0)" } } == ["allow-rpcs in /etc/qemu/qemu-ga.conf"])
        #expect(options.stateDirectory == "/run/ga")
    }
}
