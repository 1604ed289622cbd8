// SPDX-License-Identifier: Apache-2.0

import Glibc
import TestSupport
import Testing

/// Numbers of any size in the program's own files: no command dies of one (SIGILL), and a thaw ends its cycle.
@Suite struct DamagedNumberTests {
    private static let numbers = [Int64.min, Int64.min + 1, -1, 0, Int64.max - 1, Int64.max]

    private func sandbox() throws -> Sandbox {
        let sandbox = try Sandbox()
        try sandbox.addHook("10-a", "exit 0")
        return sandbox
    }

    /// Runs the commands that look; each of them has to end by itself.
    private func expectShown(_ sandbox: Sandbox, sourceLocation: SourceLocation = #_sourceLocation) throws {
        let commands = [
            ["status"], ["status", "--json"], ["status", "--nagios"], ["history"], ["history", "--json"],
            ["history", "show"], ["history", "show", "--json"], ["history", "--since", "365d"],
        ]
        for command in commands {
            let result = try sandbox.run(command)
            #expect(result.signal == nil, "\(command): \(result.stderr)", sourceLocation: sourceLocation)
        }
        let places = ["--hook-dir", sandbox.hookDirectory, "--config", sandbox.configuration]
        let more = ["--run-dir", sandbox.runDirectory, "--state-dir", sandbox.stateDirectory]
        let check = try sandbox.runCommand([sandbox.program, "check"] + places + more)
        #expect(check.signal == nil, "\(check.stderr)", sourceLocation: sourceLocation)
    }

    @Test(arguments: numbers) func `Times of the record`(number: Int64) throws {
        let sandbox = try sandbox()
        try sandbox.expectFreeze()
        let path = "\(sandbox.runDirectory)/cycle"
        let lines = Files.text(of: path).split(separator: "\n").map { line -> String in
            var fields = line.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
            switch fields[0] {
            case "moment": (fields[2], fields[3]) = ("\(number)", "\(number)")
            case "start": (fields[5], fields[6]) = ("\(number)", "\(number)")
            case "end": fields[3] = "\(number)"
            case "limits": (fields[1], fields[2]) = ("\(number)", "\(number)")
            case "agent": fields[3] = "\(UInt64.max)"
            default: break
            }
            var line = ""
            for (index, field) in fields.enumerated() { line += (index == 0 ? "" : "\t") + field }
            return line
        }
        var text = ""
        for line in lines { text += line + "\n" }
        try Files.write(text, to: path)
        // The marker is read by a machine that is restored from the image.
        try Files.write(
            text.replacing(bootID, with: "00000000-1111-2222-3333-444444444444"),
            to: "\(sandbox.stateDirectory)/restored-from")
        try expectShown(sandbox)
        try sandbox.expectThaw()
        #expect(!Files.exists(path))
        try expectShown(sandbox)
        try sandbox.expectFreeze()
        try sandbox.expectThaw()
    }

    private var bootID: String { Files.text(of: "/proc/sys/kernel/random/boot_id").filter { $0 != "\n" } }

    @Test(arguments: [
        "9223372036854775807", "9223372036854775806", "-9223372036854775808", "1e308", "18446744073709551616", "\"x\"",
        "null",
    ])
    func `Counters`(number: String) throws {
        let sandbox = try sandbox()
        try sandbox.configure("metrics-file = \(sandbox.path)/a.prom")
        try Files.makeDirectory(sandbox.stateDirectory, mode: 0o700)
        try Files.write(
            """
            {"cycles":{"application-consistent":\(number),"crash-consistent":\(number)},"expiries":\(number),\
            "last_rehearsal":{"started":"9999-99-99T99:99:99Z","verdict":"x"},"last_started":{},\
            "rehearsals":{"x":\(number)},"rollbacks":\(number)}

            """, to: "\(sandbox.stateDirectory)/counters.json")
        for _ in 0..<3 {
            try sandbox.expectFreeze()
            try sandbox.expectThaw()
            #expect(!Files.exists("\(sandbox.runDirectory)/cycle"))
        }
        #expect(Files.text(of: "\(sandbox.path)/a.prom").contains("fsfreeze_hook_cycles_total"))
        #expect(try sandbox.run(["rehearse", "--hold", "10ms"]).status == 0)
    }

    @Test(arguments: ["1.7e308", "-1.7e308", "1e300", "9223372036854775807", "-9223372036854775808", "1e-320"])
    func `Seconds of the history`(number: String) throws {
        let sandbox = try sandbox()
        try sandbox.expectFreeze()
        try sandbox.expectThaw()
        let path = "\(sandbox.stateDirectory)/history.jsonl"
        let damaged = Files.text(of: path).replacing(#/("[a-z_]*seconds":)[-+.e0-9]+/#) { "\($0.1)\(number)" }
        #expect(damaged.contains(number))
        try Files.write(damaged, to: path)
        try expectShown(sandbox)
        try sandbox.expectFreeze()
        try sandbox.expectThaw()
        #expect(try sandbox.run(["status"]).status == 0)
    }
}
