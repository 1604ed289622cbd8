// SPDX-License-Identifier: Apache-2.0

import TestSupport
import Testing

/// A machine that does not show `/proc/sys/kernel`, as under a policy of SELinux.
@Suite struct HiddenKernelTests {
    /// The words before a command that shall not see `/proc/sys/kernel`.
    private func blindly() throws -> [String] {
        try PrivateMounts.prefix("mount -t tmpfs tmpfs /proc/sys/kernel")
    }

    @Test func `A cycle has an id, a history and a verdict`() throws {
        let sandbox = try Sandbox()
        try sandbox.addTracingHook("10-db", then: "echo \"$FSFREEZE_CYCLE\"")
        expectSilentSuccess(try sandbox.run(["freeze"], through: try blindly()))
        expectSilentSuccess(try sandbox.run(["thaw"], through: try blindly()))
        let ids = Set(sandbox.output(of: "10-db"))
        let id = try #require(ids.first)
        #expect(ids.count == 1 && id.count == 36)
        #expect(
            sandbox.messages.contains {
                $0.hasPrefix("thawed: ") && $0.contains("(cycle \(id)): application-consistent")
            })
        #expect(try sandbox.run(["history", "--json"]).stdout.contains(id))
        #expect(Files.exists("\(sandbox.stateDirectory)/image.spare"))
        #expect(!Files.exists("\(sandbox.stateDirectory)/restored-from"))
    }

    @Test(arguments: [false, true])
    func `One who sees it and one who does not know each other's cycle`(isFrozenBlindly: Bool) throws {
        let sandbox = try Sandbox()
        try sandbox.addTracingHook("10-db")
        expectSilentSuccess(try sandbox.run(["freeze"], through: isFrozenBlindly ? try blindly() : []))
        let status = try sandbox.run(["status"], through: isFrozenBlindly ? [] : try blindly())
        #expect(status.stdout.contains("frozen"))
        expectSilentSuccess(try sandbox.run(["thaw"], through: isFrozenBlindly ? [] : try blindly()))
        #expect(HookLog(sandbox.log).verdict == "application-consistent", "\(sandbox.log)")
        #expect(sandbox.trace == ["10-db freeze freeze", "10-db thaw thaw"])
    }
}
