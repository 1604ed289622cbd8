// SPDX-License-Identifier: Apache-2.0

import SystemPackage
import TestSupport
import Testing

@testable import FreezeHook
@testable import FreezeHookAdmin
@testable import FreezeHookBase

/// The facts of the program that the packages' scripts repeat: they also run without the program.
@Suite struct PackageScriptTests {
    private func script() throws -> String { try Checkout.text(of: "packaging/scriptlets/agent.sh") }

    /// Runs a function of the scripts in a shell whose agent is a process with these arguments.
    private func run(_ function: String, agent: [String], in directory: TemporaryDirectory) throws -> ProcessResult {
        let words = agent.map { "'\($0)'" }.joined(separator: " ")
        let text = """
            \(try script())
            agent_process() { echo 1; }
            # The command line of a process that cannot be started here.
            tr() { printf '%s\\n' \(words); }
            \(function)
            """
        let file = try directory.makeFile("script", text, mode: 0o644)
        return try ChildProcess(["/bin/sh", file.string], environment: ["PATH": "/usr/bin:/bin"]).wait(within: 30)
    }

    @Test func `They look for a backup where the agent and the program note it`() throws {
        let script = try script()
        let locations = Locations(calledPath: "/usr/sbin/fsfreeze-hook")
        #expect(script.contains("/\(AgentState.name)\" ]"))
        #expect(script.contains("'%s\\n' \(AgentState.directories.map(\.string).joined(separator: " "))\n"))
        #expect(script.contains("[ ! -e \(locations.runDirectory)/\(CycleRecorder.name) ]"))
    }

    @Test(arguments: [["-t"], ["--statedir"], ["-t", "glued"], ["--statedir=", "glued"]])
    func `A backup of an agent with a state directory of its own is one`(option: [String]) throws {
        let directory = try TemporaryDirectory()
        let state = "\(directory.path)/state"
        try Files.makeDirectory(state)
        let words = option.count == 1 ? [option[0], state] : [option[0] + state]
        func isGoingOn() throws -> Bool {
            try run("backup_is_going_on", agent: ["/usr/sbin/qemu-ga", "-v"] + words + ["-F/x"], in: directory).status
                == 0
        }
        #expect(try !isGoingOn())
        try Files.write("", to: "\(state)/\(AgentState.name)")
        #expect(try isGoingOn())
    }

    @Test func `They tell what setup leaves to an administrator`() throws {
        let fixture = try SystemFixture(.debian12)
        try fixture.file("/etc/qemu/fsfreeze-hook", "#!/bin/sh\nquiesce \"$1\"\n", mode: 0o755)
        let report = try Setup(fixture.machine()).plan().lines(for: Terminal(columns: nil))
        let directory = try TemporaryDirectory()
        let output = try directory.makeFile("output", report.joined(separator: "\n"), mode: 0o644)
        let program = try directory.makeFile("program", "#!/bin/sh\ncat '\(output)'\n", mode: 0o755)
        let told = try run("program='\(program)'; tell_attention", agent: [], in: directory)
        #expect(told.stdout.hasPrefix("fsfreeze-hook: /etc/qemu/fsfreeze-hook is not QEMU's script"), "\(told)")
        #expect(told.stdout.split(separator: "\n").count == 1)
        for package in ["debian/postinst", "rpm/fsfreeze-hook.spec"] {
            #expect(
                try Checkout.text(of: "packaging/\(package)").contains("\n    tell_attention\n")
                    || Checkout.text(of: "packaging/\(package)").contains("\ntell_attention\n"))
        }
    }
}
