// SPDX-License-Identifier: Apache-2.0

import Glibc
import TestSupport
import Testing

/// Callers that may open few descriptors (RLIMIT_NOFILE).
@Suite struct DescriptorLimitTests {
    private func sandbox() throws -> Sandbox {
        let sandbox = try Sandbox()
        try sandbox.addTracingHook("10-a", then: "echo $(ulimit -Sn) $(ulimit -Hn)")
        try sandbox.addTracingHook("20-b")
        return sandbox
    }

    private func limited(_ limit: String) -> [String] { ["/bin/sh", "-c", "ulimit \(limit); exec \"$@\"", "sh"] }

    private static let frozen = ["10-a freeze freeze", "20-b freeze freeze"]
    private static let thawed = ["20-b thaw thaw", "10-a thaw thaw"]

    /// With 3 the loader finds no library.
    @Test(arguments: 4...20) func `Any limit that can be raised is enough`(limit: Int) throws {
        let sandbox = try sandbox()
        expectSilentSuccess(try sandbox.run(["freeze"], through: limited("-Sn \(limit)")))
        #expect(sandbox.trace == Self.frozen, "\(sandbox.log)")
        expectSilentSuccess(try sandbox.run(["thaw"], through: limited("-Sn \(limit)")))
        #expect(sandbox.trace == Self.frozen + Self.thawed, "\(sandbox.log)")
        #expect(sandbox.thawedSummary == "thawed: 2 hooks, 0 failed")
    }

    /// Without CAP_SYS_RESOURCE the hard limit stays.
    @Test(arguments: 3...20) func `A limit that cannot be raised is enough, or is told aloud`(limit: Int) throws {
        let sandbox = try sandbox()
        let setpriv = try Tools.command("setpriv", package: "util-linux")
        // setpriv itself needs descriptors: it runs before the limit is set.
        let prefix =
            [setpriv, "--bounding-set=-sys_resource", "--inh-caps=-sys_resource"] + limited("-n \(limit)")
        let freeze = try sandbox.run(["freeze"], through: prefix)
        let thaw = try sandbox.run(["thaw"], through: prefix)
        if limit >= 16 {
            expectSilentSuccess(freeze)
            expectSilentSuccess(thaw)
            #expect(sandbox.trace == Self.frozen + Self.thawed, "\(sandbox.log)")
        } else {
            #expect(freeze.status != 0 && !freeze.stderr.isEmpty)
            #expect(thaw.status != 0 && !thaw.stderr.isEmpty)
            #expect(!sandbox.trace.contains { $0.contains(" freeze ") })
        }
        // What was frozen with enough descriptors is not believed to be thawed with too few.
        #expect(try sandbox.freeze().status == 0)
        sandbox.clearTrace()
        let late = try sandbox.run(["thaw"], through: prefix)
        #expect(late.status != 0 || sandbox.trace == Self.thawed, "\(sandbox.log)")
        try sandbox.expectThaw()
    }

    @Test(arguments: [(64, 200), (100, 100), (1024, 4096)])
    func `Hooks get the limit of the caller`(soft: Int, hard: Int) throws {
        let sandbox = try sandbox()
        let prefix = limited("-Sn \(soft); ulimit -Hn \(hard)")
        expectSilentSuccess(try sandbox.run(["freeze"], through: prefix))
        expectSilentSuccess(try sandbox.run(["thaw"], through: prefix))
        #expect(sandbox.output(of: "10-a") == ["\(soft) \(hard)", "\(soft) \(hard)"])
    }
}
