// SPDX-License-Identifier: Apache-2.0

import SystemPackage
import TestSupport
import Testing

@testable import FreezeHook

/// The facts of the program that the packages' scripts repeat: they also run without the program.
@Suite struct PackageScriptTests {
    @Test func `They look for a backup where the agent and the program note it`() throws {
        let script = try Checkout.text(of: "packaging/scriptlets/agent.sh")
        let locations = Locations(calledPath: "/usr/sbin/fsfreeze-hook")
        #expect(script.contains("[ -e \(locations.agentState) ]"))
        #expect(script.contains("[ -e \(locations.runDirectory)/\(CycleRecorder.name) ]"))
    }
}
