// SPDX-License-Identifier: Apache-2.0

import SystemPackage
import TestSupport
import Testing

@testable import FreezeHook

/// What the packages' scripts know of the program: they also run where it is no longer there to be asked.
@Suite struct PackageScriptTests {
    @Test func `They look for a backup where the agent and the program note it`() throws {
        let script = try Checkout.text(of: "packaging/scriptlets/agent.sh")
        let locations = Locations(calledPath: "/usr/sbin/fsfreeze-hook")
        #expect(script.contains("[ -e \(locations.agentState) ]"))
        #expect(script.contains("[ -e \(locations.runDirectory)/\(CycleRecorder.name) ]"))
    }
}
