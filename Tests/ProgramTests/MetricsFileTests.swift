// SPDX-License-Identifier: Apache-2.0

import TestSupport
import Testing

/// The node_exporter textfile, written when a cycle is over.
@Suite struct MetricsFileTests {
    private func promtool(_ script: String, sourceLocation: SourceLocation = #_sourceLocation) throws {
        let promtool = try Tools.command("promtool", package: "prometheus")
        let result = try ChildProcess(
            ["/bin/sh", "-c", "promtool=$0; \(script)", promtool], environment: ["PATH": "/usr/bin:/bin"]
        ).wait()
        #expect(result.status == 0, "\(result.stdout)\(result.stderr)", sourceLocation: sourceLocation)
    }

    @Test func `It is there after each cycle, good for promtool, and never changes in the window`() throws {
        let sandbox = try Sandbox()
        let path = "\(sandbox.path)/fsfreeze_hook.prom"
        try sandbox.configure("metrics-file = \(path)")
        for name in NameTests.names { try sandbox.addHook(name.bytes, "#!/bin/sh\n".utf8) }
        for number in 1...2 {
            let before = Files.text(of: path)
            try sandbox.expectFreeze()
            #expect(Files.text(of: path) == before)
            try sandbox.expectThaw()
            let text = Files.text(of: path)
            #expect(text.contains("\nfsfreeze_hook_cycles_total{verdict=\"application-consistent\"} \(number)\n"))
            try promtool("exec \"$promtool\" check metrics < \(path)")
        }
        #expect(Files.mode(of: path).map { $0 & 0o777 } == 0o644)
        #expect(try sandbox.run(["rehearse", "--hold", "10ms"]).status == 0)
        #expect(Files.text(of: path).contains("\nfsfreeze_hook_cycles_total{verdict=\"application-consistent\"} 2\n"))
        #expect(
            Files.text(of: path).contains("\nfsfreeze_hook_rehearsals_total{verdict=\"application-consistent\"} 1\n"))
        try promtool("exec \"$promtool\" check metrics < \(path)")
    }

    @Test func `Rolled back and expired cycles are counted`() throws {
        let sandbox = try Sandbox()
        let path = "\(sandbox.path)/a.prom"
        try sandbox.configure("metrics-file = \(path)\nhold-limit = 200ms\n[hook b]\nrequired = yes")
        try sandbox.addTracingHook("10-a")
        try sandbox.expectFreeze()
        #expect(eventually(within: 30) { sandbox.trace.count == 2 })
        try sandbox.expectThaw()
        #expect(Files.text(of: path).contains("\nfsfreeze_hook_expiries_total 1\n"))
        #expect(Files.text(of: path).contains("\nfsfreeze_hook_last_consistent_timestamp_seconds 0\n"))
        try sandbox.addHook("20-b", "exit 1")
        #expect(try sandbox.freeze().status == 1)
        #expect(Files.text(of: path).contains("\nfsfreeze_hook_rollbacks_total 1\n"))
        #expect(Files.text(of: path).contains("{hook=\"20-b\",action=\"freeze\"} 0\n"))
    }

    @Test func `A file that cannot be written is a warning and nothing more`() throws {
        let sandbox = try Sandbox()
        try sandbox.configure("metrics-file = \(sandbox.path)/none/a.prom")
        try sandbox.addTracingHook("10-a")
        try sandbox.expectFreeze()
        try sandbox.expectThaw()
        #expect(
            sandbox.messages.contains { $0.hasPrefix("the metrics file \(sandbox.path)/none/a.prom cannot be written") }
        )
        #expect(try sandbox.run(["status"]).status == 0)
    }

    @Test func `The alert rules are right and say what they should`() throws {
        let directory = Checkout.path("packaging/prometheus")
        try promtool("cd '\(directory)' && \"$promtool\" check rules fsfreeze-hook.rules.yml")
        try promtool("cd '\(directory)' && \"$promtool\" test rules fsfreeze-hook.rules.test.yml")
    }
}
