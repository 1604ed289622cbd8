// SPDX-License-Identifier: Apache-2.0

import Glibc
import TestSupport
import Testing

@testable import FreezeHookBase

/// The agent that has started this process. What it tells of a real one is in the tests with qemu-ga.
@Suite struct CallingAgentTests {
    private func program(_ directory: TemporaryDirectory, _ name: String) throws -> ChildProcess {
        let bytes = try #require(Files.bytes(of: "/bin/sleep"))
        try Files.write(bytes, to: Array("\(directory.path)/\(name)".utf8), mode: 0o755)
        return try ChildProcess(["\(directory.path)/\(name)", "1000"], environment: [:])
    }

    @Test func `Only a program of that name is an agent`() throws {
        let directory = try TemporaryDirectory()
        let agent = try program(directory, "qemu-ga")
        let other = try program(directory, "not-qemu-ga")
        #expect(eventually { CallingAgent(agent.pid) != nil })
        let found = try #require(CallingAgent(agent.pid))
        #expect(found.process == ProcessIdentity(of: agent.pid))
        #expect(CallingAgent(agent.pid) == found, "it has written nothing meanwhile")
        #expect(CallingAgent(other.pid) == nil)
        #expect(CallingAgent(0) == nil)
        // An upgrade of the agent replaces its file.
        #expect(unlink("\(directory.path)/qemu-ga") == 0)
        #expect(CallingAgent(agent.pid) == found)
        #expect(CallingAgent() == nil, "nobody runs the tests through an agent")
    }

    @Test func `The writes are those of the kernel's list`() {
        let text = "rchar: 1\nwchar: 2\nsyscr: 3\nsyscw: 4\nread_bytes: 0\n"
        #expect(CallingAgent.number("wchar:", in: Array(text.utf8)) == 2)
        #expect(CallingAgent.number("pos:", in: Array("flags:\t01\npos:\t12\n".utf8)) == 12)
        #expect(CallingAgent.number("wchar:", in: Array("wchar: x\n".utf8)) == nil)
        #expect(CallingAgent.number("wchar:", in: []) == nil)
    }
}
