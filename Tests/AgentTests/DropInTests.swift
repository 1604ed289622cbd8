// SPDX-License-Identifier: Apache-2.0

import Glibc
import TestSupport
import Testing

/// The drop-ins for the agent's unit, as systemd reads them.
@Suite struct DropInTests {
    /// The agent's unit of RHEL and its rebuilds; later releases have other options around the same variable. The
    /// program is another one, because verify wants it to exist.
    private static let rhelUnit = """
        [Unit]
        Description=QEMU Guest Agent

        [Service]
        UMask=0077
        EnvironmentFile=/etc/sysconfig/qemu-ga
        ExecStart=/usr/bin/true \\
          --method=virtio-serial \\
          --path=/dev/virtio-ports/org.qemu.guest_agent.0 \\
          --block-rpcs=${BLOCK_RPCS} \\
          -F${FSFREEZE_HOOK_PATHNAME}
        Restart=always
        RestartSec=0

        """

    private static func debianUnit() throws -> String {
        let directories = ["/lib/systemd/system", "/usr/lib/systemd/system"]
        guard let path = directories.map({ "\($0)/qemu-guest-agent.service" }).first(where: Files.exists) else {
            throw TestFailure("the unit qemu-guest-agent.service is missing: apt-get install qemu-guest-agent")
        }
        return Files.text(of: path)
    }

    /// A directory with the unit and the drop-in.
    private func directory(unit: String, dropIn: String) throws -> TemporaryDirectory {
        let directory = try TemporaryDirectory()
        let dropIns = "\(directory.path)/qemu-guest-agent.service.d"
        try Files.makeDirectory(dropIns)
        try Files.write(unit, to: "\(directory.path)/qemu-guest-agent.service")
        try Files.write(dropIn, to: "\(dropIns)/50-fsfreeze-hook.conf")
        return directory
    }

    private func dropIn(_ layout: String) throws -> String {
        try Checkout.text(of: "systemd/\(layout)/50-fsfreeze-hook.conf")
    }

    private func run(_ arguments: [String], environment: [String: String] = [:]) throws -> ProcessResult {
        let path = ["PATH": "/usr/sbin:/usr/bin:/sbin:/bin"]
        return try ChildProcess(arguments, environment: path.merging(environment) { $1 }).wait()
    }

    /// The output of `systemd-analyze verify` on the merged unit: none when the unit is right.
    private func faults(in directory: TemporaryDirectory) throws -> String {
        let result = try run(
            [try Tools.command("systemd-analyze", package: "systemd"), "verify", "qemu-guest-agent.service"],
            environment: ["SYSTEMD_UNIT_PATH": "\(directory.path):"])
        return result.stdout + result.stderr + (result.status == 0 ? "" : "status \(result)")
    }

    /// The lines that the service manager shows of the merged unit, such as `Command Line: …`.
    private func merged(in directory: TemporaryDirectory) throws -> [String] {
        // systemd's test mode refuses root, and wants a home and a runtime directory.
        let home = "\(directory.path)/home"
        try Files.makeDirectory(home)
        guard chmod(directory.path, 0o755) == 0, chown(home, 65534, 65534) == 0 else {
            throw TestFailure("cannot give away \(home): these tests need root")
        }
        let result = try run(
            [
                try Tools.command("setpriv", package: "util-linux"), "--reuid=65534", "--regid=65534", "--clear-groups",
                "/lib/systemd/systemd", "--test", "--user", "--unit=qemu-guest-agent.service",
            ],
            environment: [
                "SYSTEMD_UNIT_PATH": "\(directory.path):", "HOME": home, "XDG_RUNTIME_DIR": home,
                "SYSTEMD_LOG_TARGET": "console",
            ])
        #expect(result.status == 0, "\(result.stderr.suffix(2_000))")
        let units = result.stdout.split(separator: "-> Unit ")
        let unit = try #require(units.first { $0.hasPrefix("qemu-guest-agent.service:") })
        return unit.split(separator: "\n").map { String($0.drop { $0 == "\t" || $0 == " " }) }
    }

    @Test func `The unit of Debian takes the drop-in`() throws {
        let directory = try directory(unit: try Self.debianUnit(), dropIn: try dropIn("debian"))
        #expect(try faults(in: directory) == "")
        let commands = try merged(in: directory).filter { $0.hasPrefix("Command Line: ") }
        #expect(commands == ["Command Line: /usr/sbin/qemu-ga -F/usr/sbin/fsfreeze-hook"])
    }

    @Test func `The agent takes the option of the drop-in`() throws {
        let line = try #require(try dropIn("debian").split(separator: "\n").last { $0.hasPrefix("ExecStart=-") })
        let command = line.dropFirst("ExecStart=-".count).split(separator: " ").map(String.init)
        let result = try run(command + ["--dump-conf"])
        #expect(result.status == 0)
        #expect(result.stdout.contains("fsfreeze-hook=/usr/sbin/fsfreeze-hook\n"), "\(result)")
    }

    @Test func `The unit of RHEL takes the drop-in`() throws {
        let directory = try directory(unit: Self.rhelUnit, dropIn: try dropIn("rhel"))
        #expect(try faults(in: directory) == "")
        let lines = try merged(in: directory)
        let commands = lines.filter { $0.hasPrefix("Command Line: ") }
        #expect(commands.count == 1, "the unit's own command line stays")
        #expect(commands.first?.contains("-F\\${FSFREEZE_HOOK_PATHNAME}") ?? false, "\(commands)")
        // The later of two files wins.
        #expect(
            lines.filter { $0.hasPrefix("EnvironmentFile: ") } == [
                "EnvironmentFile: /etc/sysconfig/qemu-ga", "EnvironmentFile: -/usr/share/fsfreeze-hook/qemu-ga.env",
            ])
        let settings = try Checkout.text(of: "systemd/rhel/qemu-ga.env").split(separator: "\n")
        #expect(settings.filter { !$0.hasPrefix("#") } == ["FSFREEZE_HOOK_PATHNAME=/usr/sbin/fsfreeze-hook"])
    }

    /// The check above finds a fault in a unit.
    @Test func `A missing reset would be found`() throws {
        let broken = try dropIn("debian").replacing("ExecStart=\n", with: "")
        let directory = try directory(unit: try Self.debianUnit(), dropIn: broken)
        #expect(try faults(in: directory).contains("more than one ExecStart="))
    }
}
