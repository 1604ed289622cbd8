// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestSupport
import Testing

/// The example hook, copied as its head says and run by the program.
@Suite(.timeLimit(.minutes(5))) struct ExampleTests {
    private func install(as name: String, in guest: AgentGuest) throws {
        let text = try Checkout.text(of: "hooks/10-example.sample")
        let client = "client='\(guest.path("examplectl"))'"
        try Files.write(
            text.replacing("client=examplectl", with: client), to: guest.path("fsfreeze-hook.d/\(name)"), mode: 0o755)
    }

    private func installClient(_ script: String, in guest: AgentGuest) throws {
        try Files.write(
            "#!/bin/sh\necho $1 >>'\(guest.path("client-calls"))'\n\(script)\n", to: guest.path("examplectl"),
            mode: 0o755)
    }

    @Test func `The example is inert under its own name`() throws {
        let guest = try AgentGuest()
        try install(as: "10-example.sample", in: guest)
        try installClient("", in: guest)
        let agent = try guest.startAgent()
        #expect(try agent.freeze().number == 0)
        #expect(guest.text(of: "client-calls").isEmpty)
        #expect(guest.log.contains("frozen: 0 hooks"))
    }

    @Test func `The example has nothing to do without its application`() throws {
        let guest = try AgentGuest(configuration: "on-failure = abort")
        try install(as: "10-myapp", in: guest)
        let agent = try guest.startAgent()
        #expect(try agent.freeze().number == 0)
        #expect(guest.log.contains("finished with status=77"))
        #expect(guest.log.contains("nothing to do here"))
    }

    @Test func `The example holds and releases its application`() throws {
        let guest = try AgentGuest(configuration: "on-failure = abort")
        try install(as: "10-myapp", in: guest)
        try installClient("", in: guest)
        let agent = try guest.startAgent()
        #expect(try agent.freeze().number == 0)
        #expect(try agent.thaw().number == 0)
        #expect(
            guest.text(of: "client-calls").split(separator: "\n") == [
                "is-running", "flush", "pause", "is-running", "resume",
            ])
    }

    @Test func `The example fails and releases an application that cannot pause`() throws {
        let guest = try AgentGuest(configuration: "on-failure = abort")
        try install(as: "10-myapp", in: guest)
        try installClient("[ $1 != pause ]", in: guest)
        let agent = try guest.startAgent()
        #expect(try agent.freeze().error != nil)
        #expect(guest.text(of: "client-calls").hasSuffix("pause\nis-running\nresume\n"))
    }

    @Test func `The list shows the example with its description`() throws {
        let guest = try AgentGuest()
        try install(as: "10-myapp", in: guest)
        let listing = try guest.namespace.run([
            guest.hookPath, "list", "--json", "--hook-dir", guest.path("fsfreeze-hook.d"), "--config",
            guest.path("fsfreeze-hook.conf"),
        ])
        #expect(listing.status == 0, "\(listing.stderr)")
        let json = try JSONSerialization.jsonObject(with: Data(listing.stdout.utf8)) as? [String: Any]
        let hook = try #require((json?["hooks"] as? [[String: Any]])?.first)
        #expect(hook["description"] as? String == "Example application")
        #expect(hook["guarantee"] as? String == "application-consistent")
        #expect(hook["timeout_seconds"] as? Double == 20)
        #expect(hook["runs"] as? Bool == true)
    }
}
