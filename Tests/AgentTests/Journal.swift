// SPDX-License-Identifier: Apache-2.0

import Foundation
import Glibc
import TestSupport

/// A systemd-journald that serves one namespace, with the project's message catalog.
final class Journal {
    private let namespace: Namespace
    private let daemon: ChildProcess

    private static let settings = """
        [Journal]
        Storage=volatile
        Audit=no
        ReadKMsg=no
        RateLimitIntervalSec=0
        ForwardToSyslog=no
        ForwardToKMsg=no
        ForwardToConsole=no
        ForwardToWall=no

        """

    init(in namespace: Namespace) throws {
        self.namespace = namespace
        let settings = namespace.path("/run/systemd/journald.conf.d")
        try FileManager.default.createDirectory(atPath: settings, withIntermediateDirectories: true)
        try Files.write(Self.settings, to: settings + "/test.conf")
        let catalog = Checkout.path("systemd/fsfreeze-hook.catalog")
        let made = try namespace.run([
            "/bin/sh", "-c",
            """
            mkdir -p /var/lib/systemd/catalog && mount -t tmpfs tmpfs /usr/lib/systemd/catalog &&
                cp '\(catalog)' /usr/lib/systemd/catalog/ && journalctl --update-catalog
            """,
        ])
        guard made.status == 0 else { throw TestFailure("the catalog cannot be compiled: \(made.stderr)") }

        let program = "/lib/systemd/systemd-journald"
        guard access(program, X_OK) == 0 else { throw TestFailure("\(program) is missing: apt-get install systemd") }
        daemon = try namespace.start([program])
        let daemon = daemon
        try wait(for: "journald's socket") {
            guard daemon.isRunning else { throw TestFailure("journald ended: \(try daemon.wait())") }
            let files = try? FileManager.default.subpathsOfDirectory(atPath: namespace.path("/run/log/journal"))
            return Files.exists(namespace.path("/run/systemd/journal/socket"))
                && (files ?? []).contains { $0.hasSuffix("/system.journal") }
        }
    }

    /// Sends a signal to systemd-journald.
    func signal(_ signal: Int32) throws {
        guard let process = Processes.children(of: daemon.pid).first, kill(process, signal) == 0 else {
            throw TestFailure("journald has ended")
        }
    }

    /// The program's entries that match, oldest first. A field that is not UTF-8 or that an entry has more than once is
    /// left out.
    func entries(_ matches: [String] = []) throws -> [[String: String]] {
        let output = try journalctl(["--output=json", "--all", "SYSLOG_IDENTIFIER=fsfreeze-hook"] + matches)
        return try output.split(separator: "\n").map { line in
            let json = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any] ?? [:]
            return json.compactMapValues { $0 as? String }
        }
    }

    /// The program's entries that match, once the message of one contains the text: the daemon takes its time.
    func entries(_ matches: [String] = [], until text: String) throws -> [[String: String]] {
        var found: [[String: String]] = []
        try wait(for: "an entry with '\(text)' in the journal") {
            found = try entries(matches)
            return found.contains { $0["MESSAGE"]?.contains(text) ?? false }
        }
        return found
    }

    /// The output of `journalctl -x` for the entries with this id.
    func explanation(of id: String) throws -> String {
        try journalctl(["--catalog", "MESSAGE_ID=\(id)"])
    }

    func journalctl(_ arguments: [String]) throws -> String {
        let result = try namespace.run(
            ["journalctl", "--directory=/run/log/journal", "--no-pager", "--quiet"] + arguments)
        guard result.status == 0 else { throw TestFailure("journalctl: \(result.stderr)") }
        return result.stdout
    }
}
