// SPDX-License-Identifier: Apache-2.0

import Glibc
import TestSupport
import Testing

/// The InfluxDB recipe.
@Suite struct InfluxDBTests {
    private let machine: NativeCopyGuest
    private let guest: RecipeGuest

    init() throws {
        _ = try Tools.command("influxd", package: "influxdb")
        _ = try Tools.command("influx", package: "influxdb-client")
        machine = try NativeCopyGuest("influxdb")
        guest = machine.guest
    }

    /// Starts a server with a backup service at this address.
    private func start(_ name: String = "influx", backup: String = "127.0.0.1:8088", http: Int = 8086) throws -> Server
    {
        let configuration = """
            bind-address = "\(backup)"
            reporting-disabled = true
            [meta]
            dir = "\(guest.path(name))/meta"
            [data]
            dir = "\(guest.path(name))/data"
            wal-dir = "\(guest.path(name))/wal"
            [http]
            bind-address = "127.0.0.1:\(http)"
            """
        try Files.write(configuration, to: guest.path("\(name).conf"))
        return try Server(["influxd", "-config", guest.path("\(name).conf")], on: guest) {
            (try? influx("SHOW DATABASES", http: http)) != nil
        }
    }

    @discardableResult
    private func influx(_ statement: String, http: Int = 8086) throws -> String {
        try guest.execute(
            ["influx", "-port", "\(http)", "-database", "numbers", "-format", "csv", "-execute", statement])
    }

    @Test func `What was acknowledged is restored from the copy`() throws {
        let server = try start()
        try influx("CREATE DATABASE numbers")
        // influxd copies one shard after the other.
        try machine.expectAllThatWasAcknowledged(inCycles: 20, isOfOneMoment: false) { writer, number in
            // Each number has its time in one of twelve weeks: each week is a shard with its own files, and each shard
            // makes the backup longer.
            let second = number % 12 * 604_800 + number
            return "influx -database numbers -execute 'INSERT w\(writer) value=\(number) \(second)000000000'"
        } numbers: { copy in
            defer { TemporaryDirectory.remove(guest.path("restored")) }
            let restored = try start("restored", backup: "127.0.0.1:9088", http: 9086)
            try guest.execute(["influxd", "restore", "-portable", "-host", "127.0.0.1:9088", copy])
            // influxd opens restored shards some time later.
            try wait(for: "the restored shards") {
                (try? influx("SELECT COUNT(value) FROM w0, w1, w2", http: 9086)) != nil
            }
            let numbers = try (0..<3).map { writer in
                try influx("SELECT value FROM w\(writer)", http: 9086).split(separator: "\n").compactMap {
                    $0.split(separator: ",").last.flatMap { Int($0) }
                }
            }
            try restored.end()
            return numbers
        }
        try server.end()
    }

    @Test func `Two servers have copies of their own`() throws {
        let first = try start()
        let second = try start("second", backup: ":7088", http: 7086)
        try machine.runCycle()
        #expect(try machine.instances() == ["127.0.0.1-7088", "127.0.0.1-8088"])
        try second.end()
        try first.end()
    }

    /// An administrator's own backup beside the recipe's, of a server that does not answer.
    @Test func `A backup is not taken for a server`() throws {
        let server = try start()
        let backup = try guest.start([
            "influxd", "backup", "-portable", "-host", "127.0.0.1:1", guest.path("other"),
        ])
        try wait(for: "the backup") { !Processes.mentioning(guest.path("other")).isEmpty }
        _ = try machine.copyInCycle()
        #expect(backup.isRunning)
        for process in Processes.children(of: backup.pid) { kill(process, SIGKILL) }
        _ = try backup.wait(within: 10)
        try server.end()
    }

    @Test func `A server that stands still or goes away leaves no copy`() throws {
        let server = try start()
        try influx("CREATE DATABASE numbers")
        try influx("INSERT point value=1 1")
        try machine.configure("timeout = 2")
        try server.whileStopped {
            let reason = try machine.reasonOfFailure()
            #expect(reason.hasPrefix("the copy was not finished within 2 s"), "\(reason)")
        }
        #expect(try machine.files() == [])
        try machine.configure("timeout = 3\n[main]\nhost = 127.0.0.1:8088")
        try machine.runCycle()
        try server.end(SIGKILL)
        let reason = try machine.reasonOfFailure()
        #expect(reason.contains("connection refused"), "\(reason)")
        #expect(try machine.madeCopies(of: "main").count == 1)
    }

    @Test func `A copy that lacks a file does not count`() throws {
        let server = try start()
        try influx("CREATE DATABASE numbers")
        try influx("INSERT point value=1 1")
        // This influxd does the work of the real one, and loses a file.
        let real = try Tools.command("influxd", package: "influxdb")
        try machine.replace(
            "influxd", by: "'\(real)' \"$@\" || exit\nfor last; do :; done\nrm -f \"$last\"/*.s*.tar.gz")
        let reason = try machine.reasonOfFailure()
        #expect(reason.hasSuffix(".tar.gz is missing in the backup"), "\(reason)")
        try machine.replace("influxd", by: "'\(real)' \"$@\" || exit\nfor last; do :; done\nrm -f \"$last\"/*.manifest")
        #expect(try machine.reasonOfFailure() == "no copy: the backup has no manifest")
        #expect(try machine.files() == [])
        try server.end()
    }
}
