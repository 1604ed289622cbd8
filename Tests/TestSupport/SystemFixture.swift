// SPDX-License-Identifier: Apache-2.0

import Foundation

/// A distribution, as far as it matters to qemu-ga and the program.
package enum SystemFamily: String, CaseIterable, Sendable {
    case debian12, ubuntu2004, rhel9, openSUSE, alpine

    package var hookDirectory: String { self == .rhel9 ? "/etc/qemu-ga/fsfreeze-hook.d" : "/etc/qemu/fsfreeze-hook.d" }
}

/// The files of a machine below a directory: `/proc`, `/sys`, `/etc` and others, with qemu-ga running and the program
/// installed.
package final class SystemFixture {
    package let family: SystemFamily
    private let directory: TemporaryDirectory
    package var root: String { directory.path }

    /// The process id of its qemu-ga.
    package static let agent = 400
    private static let bootTime = 1_700_000_000

    /// A machine of this family.
    ///
    /// - Parameter isWired: whether the machine's qemu-ga calls the program, in the way of the family.
    package init(_ family: SystemFamily, isWired: Bool = true) throws {
        self.family = family
        directory = try TemporaryDirectory()
        try file("/proc/stat", "cpu 1 2 3\nbtime \(Self.bootTime)\n")
        try link("/proc/self/ns/pid", to: "pid:[4026531836]")
        try mounts("")
        try process(1, "systemd", ["/sbin/init"])
        try file("/sys/class/virtio-ports/vport1p1/name", "org.qemu.guest_agent.0\n")
        try file("/usr/sbin/fsfreeze-hook", "program", mode: 0o755)
        for name in try Files.names(in: Checkout.path("hooks/recipes")) {
            let text = try Checkout.text(of: "hooks/recipes/\(name)")
            try file("/usr/libexec/fsfreeze-hook/recipes/\(name)", text, mode: 0o755)
        }
        try file("/usr/sbin/logrotate", "", mode: 0o755)
        try file("/etc/logrotate.d/fsfreeze-hook", Checkout.text(of: "packaging/fsfreeze-hook.logrotate"))
        try file("/usr/share/zoneinfo/UTC", "TZif2")
        try link("/etc/localtime", to: "../usr/share/zoneinfo/UTC")
        try makeDirectory("/var/log")
        try makeDirectory("/var/lib/fsfreeze-hook")
        try makeDirectory(family.hookDirectory)
        try installAgent(isWired: isWired)
    }

    // MARK: - Files

    /// Writes a file, and makes the directories above it.
    package func file(_ path: String, _ text: String, mode: mode_t = 0o644) throws {
        try makeDirectory((path as NSString).deletingLastPathComponent)
        try Files.write(text, to: root + path, mode: mode)
    }

    /// Puts a link, and makes the directories above it.
    package func link(_ path: String, to target: String) throws {
        try makeDirectory((path as NSString).deletingLastPathComponent)
        try Files.link(root + path, to: target)
    }

    package func makeDirectory(_ path: String) throws {
        try FileManager.default.createDirectory(
            atPath: root + path, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o755])
    }

    package func remove(_ path: String) { TemporaryDirectory.remove(root + path) }

    package func text(of path: String) -> String { Files.text(of: root + path) }

    /// All files and links in a directory, each with its mode and its content.
    package func contents(of path: String = "/etc") throws -> [String: String] {
        var found: [String: String] = [:]
        for name in FileManager.default.enumerator(atPath: root + path)?.compactMap({ $0 as? String }) ?? [] {
            let place = "\(root)\(path)/\(name)"
            let mode = Files.mode(of: place).map { String($0, radix: 8) } ?? ""
            let target = try? FileManager.default.destinationOfSymbolicLink(atPath: place)
            found["\(path)/\(name)"] = mode + " " + (target ?? Files.text(of: place))
        }
        return found
    }

    // MARK: - The kernel's files

    /// Writes the mounts of all processes: the default ones, then these lines.
    package func mounts(_ lines: String) throws {
        let table = """
            22 1 254:1 / / rw,relatime shared:1 - ext4 /dev/vda1 rw
            23 22 0:21 / /proc rw - proc proc rw
            24 22 0:22 / /sys rw - sysfs sysfs rw
            25 22 0:23 / /run rw,nosuid - tmpfs tmpfs rw,size=100k
            \(lines)

            """
        try file("/proc/self/mountinfo", table)
        for name in try Files.names(in: "\(root)/proc") where Int(name) != nil {
            try file("/proc/\(name)/mountinfo", table)
        }
    }

    /// Adds a process.
    ///
    /// - Parameters:
    ///   - container: the 64 digits of the container that it runs in.
    ///   - directory: its working directory.
    ///   - files: the files that it has open for writing.
    ///   - started: its start, in seconds from now.
    ///   - user: the user whose rights it has.
    ///   - program: the program that it executes; nil for the first argument, which is made when it is missing.
    ///   - groupOwner: the owner of its container's control group.
    package func process(
        _ pid: Int, _ name: String, _ arguments: [String], container: String? = nil, directory: String? = nil,
        files: [String] = [], started: Double = 60, user: uid_t = 0, program: String? = nil, groupOwner: uid_t = 0
    ) throws {
        let place = "/proc/\(pid)"
        try file("\(place)/comm", "\(name)\n")
        try file("\(place)/cmdline", arguments.map { "\($0)\0" }.joined())
        let ticks = Int((Date.now.timeIntervalSince1970 + started - Double(Self.bootTime)) * 100)
        try file("\(place)/stat", "\(pid) (\(name)) S 1 1 1" + String(repeating: " 0", count: 15) + " \(ticks) 0 0\n")
        let users = (0..<4).map { _ in "\(user)" }.joined(separator: "\t")
        try file("\(place)/status", "Name:\t\(name)\nState:\tS (sleeping)\nPid:\t\(pid)\nUid:\t\(users)\n")
        let executable = program ?? (arguments[0].hasPrefix("/") ? arguments[0] : "/opt/own/\(arguments[0])")
        if !Files.exists(root + executable) { try file(executable, "", mode: 0o755) }
        remove("\(place)/exe")
        try link("\(place)/exe", to: executable)
        remove("\(place)/ns")
        try link("\(place)/ns/pid", to: container == nil ? "pid:[4026531836]" : "pid:[4026532999]")
        try controlGroup(
            container.map { "/system.slice/docker-\($0).scope" } ?? "/system.slice/\(name).service", of: pid,
            owner: groupOwner)
        try file("\(place)/mountinfo", text(of: "/proc/self/mountinfo"))
        remove("\(place)/cwd")
        try link("\(place)/cwd", to: directory ?? "/")
        remove("\(place)/fd")
        for (index, path) in files.enumerated() {
            try link("\(place)/fd/\(index + 3)", to: path)
            try file("\(place)/fdinfo/\(index + 3)", "pos:\t0\nflags:\t02100002\nmnt_id:\t22\n")
        }
    }

    /// Puts a process into a control group of this owner.
    package func controlGroup(_ path: String, of pid: Int, owner: uid_t = 0) throws {
        try file("/proc/\(pid)/cgroup", "0::\(path)\n")
        try makeDirectory("/sys/fs/cgroup\(path)")
        guard chown("\(root)/sys/fs/cgroup\(path)", owner, 0) == 0 else { throw TestFailure("chown \(path)") }
    }

    /// A MariaDB that runs, and whose recipe is enabled.
    package func addMariaDB(isEnabled: Bool = true) throws {
        try file("/usr/sbin/mariadbd", "", mode: 0o755)
        try makeDirectory("/var/lib/mysql")
        try process(
            500, "mariadbd", ["/usr/sbin/mariadbd"], directory: "/var/lib/mysql",
            files: ["/var/lib/mysql/ibdata1", "/tmp/ibXYZ (deleted)", "socket:[123]", "/var/log/mysql/error.log"])
        if isEnabled {
            try link("\(family.hookDirectory)/50-mariadb", to: "/usr/libexec/fsfreeze-hook/recipes/mariadb")
        }
    }

    // MARK: - The agent

    /// The arguments of a qemu-ga that calls the program.
    package var agentArguments: [String] {
        switch family {
        case .debian12, .ubuntu2004: ["/usr/sbin/qemu-ga", "-F/usr/sbin/fsfreeze-hook"]
        case .rhel9:
            [
                "/usr/bin/qemu-ga", "--method=virtio-serial", "--path=/dev/virtio-ports/org.qemu.guest_agent.0",
                "--block-rpcs=guest-file-open,guest-exec", "-F/usr/sbin/fsfreeze-hook",
            ]
        case .openSUSE: ["/usr/bin/qemu-ga", "-p", "/dev/virtio-ports/org.qemu.guest_agent.0"]
        case .alpine: ["/usr/bin/qemu-ga", "-m", "virtio-serial", "-l", "/var/log/qemu-ga.log", "-d"]
        }
    }

    private static let debianUnit = """
        [Unit]
        Description=QEMU Guest Agent
        BindsTo=dev-virtio\\x2dports-org.qemu.guest_agent.0.device

        [Service]
        ExecStart=-/usr/sbin/qemu-ga
        Restart=always

        """

    private static let rhelUnit = """
        [Service]
        UMask=0077
        EnvironmentFile=/etc/sysconfig/qemu-ga
        ExecStart=/usr/bin/qemu-ga \\
          --method=virtio-serial \\
          --path=/dev/virtio-ports/org.qemu.guest_agent.0 \\
          --block-rpcs=${BLOCK_RPCS} \\
          -F${FSFREEZE_HOOK_PATHNAME}

        """

    private static let rhelSettings = """
        # Fsfreeze hook script specification.
        #
        # FSFREEZE_HOOK_PATHNAME=/dev/null           : disables the feature.
        BLOCK_RPCS=guest-file-open,guest-exec
        FSFREEZE_HOOK_PATHNAME=/etc/qemu-ga/fsfreeze-hook

        """

    private func installAgent(isWired: Bool) throws {
        let units = family == .ubuntu2004 ? "/lib/systemd/system" : "/usr/lib/systemd/system"
        let dropIns = "/usr/lib/systemd/system/qemu-guest-agent.service.d"
        switch family {
        case .debian12, .ubuntu2004:
            if family == .debian12 { try link("/lib", to: "usr/lib") }
            try file("/usr/bin/apt-get", "", mode: 0o755)
            try file("\(units)/qemu-guest-agent.service", Self.debianUnit)
            try file("/etc/qemu/fsfreeze-hook", "#!/bin/sh\n", mode: 0o755)
            if isWired {
                try file("\(dropIns)/50-fsfreeze-hook.conf", Checkout.text(of: "systemd/debian/50-fsfreeze-hook.conf"))
            }
        case .rhel9:
            try file("/usr/bin/dnf", "", mode: 0o755)
            try file("\(units)/qemu-guest-agent.service", Self.rhelUnit)
            try file("/etc/sysconfig/qemu-ga", Self.rhelSettings)
            try file("/etc/qemu-ga/fsfreeze-hook", "#!/bin/sh\n", mode: 0o755)
            if isWired {
                try file("/usr/share/fsfreeze-hook/qemu-ga.env", Checkout.text(of: "systemd/rhel/qemu-ga.env"))
                try file("\(dropIns)/50-fsfreeze-hook.conf", Checkout.text(of: "systemd/rhel/50-fsfreeze-hook.conf"))
            }
        case .openSUSE:
            try file("/usr/bin/zypper", "", mode: 0o755)
            try file(
                "\(units)/qemu-ga@.service",
                "[Service]\nExecStart=-/usr/bin/qemu-ga -p /dev/virtio-ports/org.qemu.guest_agent.0\nRestart=always\n")
        case .alpine:
            try file("/sbin/apk", "", mode: 0o755)
            try file("/etc/init.d/qemu-guest-agent", "#!/sbin/openrc-run\n", mode: 0o755)
        }
        if isWired {
            let recover = try Checkout.text(of: "systemd/60-fsfreeze-hook-recover.conf")
            switch family {
            case .debian12, .ubuntu2004, .rhel9: try file("\(dropIns)/60-fsfreeze-hook-recover.conf", recover)
            case .openSUSE: try file("/etc/systemd/system/qemu-ga@.service.d/60-fsfreeze-hook-recover.conf", recover)
            case .alpine: break
            }
            if family == .openSUSE || family == .alpine {
                try file("/etc/qemu/qemu-ga.conf", "[general]\nfsfreeze-hook=/usr/sbin/fsfreeze-hook\n")
            }
        }
        let stock = family == .rhel9 ? "-F/etc/qemu-ga/fsfreeze-hook" : nil
        let arguments =
            isWired ? agentArguments : agentArguments.filter { !$0.hasPrefix("-F") } + [stock].compactMap { $0 }
        try process(Self.agent, "qemu-ga", arguments)
    }
}
