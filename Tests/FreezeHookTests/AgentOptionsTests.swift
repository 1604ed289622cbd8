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

    @Test(arguments: [
        [], ["-F"], ["-F/usr/sbin/fsfreeze-hook"], ["--fsfreeze-hook"], ["--fsfreeze-hook=/opt/a b"], ["-F/a", "-F/b"],
        ["-b", "guest-ping"], ["-bguest-ping,guest-exec"], ["--block-rpcs=guest-fsfreeze-freeze", "-b", "guest-ping"],
        ["--block-rpcs", "guest-ping"], ["-m", "isa-serial", "-p", "/dev/ttyS0"], ["-v", "-F/x", "-t", "/run"],
    ])
    func `A real qemu-ga understands them alike`(arguments: [String]) throws {
        let directory = try TemporaryDirectory()
        for text in ["", "[general]\nverbose=true\n", Self.file] {
            let file = try directory.makeFile("qemu-ga.conf", text, mode: 0o644)
            let agent = try Tools.command("qemu-ga", package: "qemu-guest-agent")
            let shown = try ChildProcess([agent, "-D"] + arguments, environment: ["QGA_CONF": file.string]).wait(
                within: 30)
            #expect(shown.status == 0, "\(shown.stderr)")
            // qemu-ga prints its options as a configuration file.
            let dump = try directory.makeFile("dump.conf", shown.stdout, mode: 0o644)
            let said = AgentOptions(arguments: [], configuration: dump, in: .machine)
            let understood = AgentOptions(arguments: arguments, configuration: file, in: .machine)
            #expect(understood.hook == said.hook)
            #expect(understood.blocked == said.blocked)
            #expect(understood.method == said.method)
        }
    }

    @Test func `Older and newer names of the lists`() {
        let options = AgentOptions(
            arguments: ["--blacklist=guest-exec", "--allow-rpcs=guest-ping,guest-exec,guest-fsfreeze-thaw"],
            in: .machine)
        #expect(options.forbids("guest-exec"))
        #expect(options.forbids("guest-fsfreeze-freeze"))
        #expect(!options.forbids("guest-fsfreeze-thaw"))
    }
}
