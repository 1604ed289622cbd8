// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestSupport
import Testing

/// `list`: every entry of the directory, whether it runs, and why not.
@Suite struct ListTests {
    private func hooks(_ sandbox: Sandbox) throws -> [[String: Any]] {
        let result = try sandbox.run(["list", "--json"])
        #expect(result.status == 0)
        #expect(result.stderr == "")
        let object = try JSONSerialization.jsonObject(with: Data(result.stdout.utf8)) as? [String: Any]
        #expect(object?["directory"] as? String == sandbox.hookDirectory)
        return try #require(object?["hooks"] as? [[String: Any]])
    }

    @Test func `The JSON object tells everything about each hook`() throws {
        let sandbox = try Sandbox()
        try sandbox.configure("hook-timeout = 20s\n[hook db]\nrequired = yes\n[hook 30-c]\ntimeout = 1500ms")
        let header = """
            #!/bin/sh
            # fsfreeze-hook: description = MariaDB and MySQL
            # fsfreeze-hook: guarantee = application-consistent
            # fsfreeze-hook: timeout = 7s

            """
        try sandbox.addHook("10-db.sh", header)
        try sandbox.addHook("20-plain", "exit 0")
        try sandbox.addHook("30-c", header)
        try sandbox.addHook("40-off", "exit 0", mode: 0o644)
        try sandbox.addHook("50-open", "exit 0", mode: 0o777)
        let hooks = try hooks(sandbox)
        #expect(hooks.map { $0["name"] as? String } == ["10-db.sh", "20-plain", "30-c", "40-off", "50-open"])
        #expect(hooks.map { $0["path"] as? String }.first == "\(sandbox.hookDirectory)/10-db.sh")
        #expect(hooks.map { $0["runs"] as? Bool } == [true, true, true, false, false])
        #expect(hooks.map { $0["required"] as? Bool } == [true, false, false, false, false])
        #expect(hooks.prefix(3).map { $0["timeout_seconds"] as? Double } == [7, 20, 1.5])
        #expect(hooks[0]["description"] as? String == "MariaDB and MySQL")
        #expect(hooks[0]["guarantee"] as? String == "application-consistent")
        #expect(hooks[0]["why"] as? String == nil)
        #expect(hooks[1]["description"] as? String == nil)
        #expect((hooks[3]["why"] as? String)?.contains("not executable") == true)
        #expect((hooks[4]["why"] as? String)?.contains("writable by others") == true)
    }

    @Test func `The table says the same and runs nothing`() throws {
        let sandbox = try Sandbox()
        try sandbox.addTracingHook("10-a")
        try sandbox.addHook("20-off", "exit 0", mode: 0o644)
        let result = try sandbox.run(["list"])
        #expect(result.status == 0)
        #expect(result.stderr == "")
        let lines = result.stdout.split(separator: "\n")
        #expect(lines.contains { $0.hasPrefix("10-a") && $0.contains("runs") && $0.contains("30s") })
        #expect(lines.contains { $0.hasPrefix("20-off") && $0.contains("does not run") && $0.contains("chmod +x") })
        #expect(sandbox.trace == [])
        #expect(!Files.exists(sandbox.logFile))
        #expect(!Files.exists(sandbox.runDirectory))
    }

    @Test func `Names of any bytes neither break the table nor the JSON`() throws {
        let sandbox = try Sandbox()
        for name in NameTests.names { try sandbox.addHook(name.bytes, "#!/bin/sh\n".utf8) }
        #expect(try hooks(sandbox).map { $0["name"] as? String } == NameTests.names.map(\.shown))
        let table = try sandbox.run(["list"]).stdout
        #expect(table.split(separator: "\n").count == NameTests.names.count + 1)
        #expect(!table.utf8.contains { $0 < 0x20 && $0 != 0x0a && $0 != 0x09 })
    }

    @Test func `A header that cannot be understood is named, and the hook runs`() throws {
        let sandbox = try Sandbox()
        try sandbox.addTracingHook("10-a")
        let script = "#!/bin/sh\n# fsfreeze-hook: timeout = soon\n# fsfreeze-hook: colour = red\nexit 0\n"
        try sandbox.addHook("20-b", script)
        let hook = try #require(try hooks(sandbox).last)
        #expect(hook["runs"] as? Bool == true)
        let why = try #require(hook["why"] as? String)
        #expect(why.contains("soon") && why.contains("colour"))
        try sandbox.expectFreeze()
        #expect(sandbox.frozenSummary == "frozen: 2 hooks, 0 failed")
    }

    @Test func `An empty directory is told, and a missing one is an error`() throws {
        let sandbox = try Sandbox()
        #expect(try hooks(sandbox).isEmpty)
        let empty = try sandbox.run(["list"])
        #expect(empty.status == 0)
        #expect(empty.stdout.contains(sandbox.hookDirectory))
        rmdir(sandbox.hookDirectory)
        let missing = try sandbox.run(["list"])
        #expect(missing.status != 0)
        #expect(missing.stdout == "")
        #expect(missing.stderr.contains(sandbox.hookDirectory))
    }
}
