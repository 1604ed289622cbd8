// SPDX-License-Identifier: Apache-2.0

import TestSupport
import Testing

/// A hook directory with a thousand hooks.
@Suite struct ManyHooksTests {
    @Test func `A thousand hooks run in order and are thawed in reverse`() throws {
        let sandbox = try Sandbox()
        try sandbox.configure("freeze-timeout = 60s")
        let names = (1000..<2000).map { "\($0)-hook" }
        for name in names { try sandbox.addTracingHook(name) }
        let freeze = try sandbox.freeze()
        expectSilentSuccess(freeze)
        #expect(freeze.seconds < 30)
        #expect(sandbox.frozenSummary == "frozen: 1000 hooks, 0 failed")
        try sandbox.expectThaw()
        #expect(sandbox.thawedSummary == "thawed: 1000 hooks, 0 failed")
        #expect(sandbox.trace == names.map { "\($0) freeze freeze" } + names.reversed().map { "\($0) thaw thaw" })
    }

    @Test func `A thousand hooks are rolled back when the last one fails`() throws {
        let sandbox = try Sandbox()
        try sandbox.configure("freeze-timeout = 120s\non-failure = abort")
        let names = (1000..<2000).map { "\($0)-hook" }
        for name in names { try sandbox.addTracingHook(name) }
        try sandbox.addTracingHook("1999-hook", then: "exit 3")
        #expect(try sandbox.freeze().status == 1)
        #expect(sandbox.trace.suffix(1000) == names.reversed().map { "\($0) thaw rollback" }[...])
    }

    @Test func `Memory does not grow with the number of hooks`() throws {
        let peaks = try [10, 1000].map { count in
            let sandbox = try Sandbox()
            try sandbox.configure("freeze-timeout = 60s")
            for index in 1..<count { try sandbox.addHook("\(1000 + index)", "exit 0") }
            try sandbox.addHook("9999", "sed -n 's/VmHWM:[^0-9]*//p' /proc/$PPID/status > $TEST_SANDBOX/memory")
            try sandbox.expectFreeze()
            return try #require(Int(Files.text(of: "\(sandbox.path)/memory").filter(\.isNumber)))
        }
        #expect(peaks[1] - peaks[0] < 4096, "kB: \(peaks)")
    }
}
