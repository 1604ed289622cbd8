// SPDX-License-Identifier: Apache-2.0

import SystemPackage
import TestSupport
import Testing

@testable import FreezeHook
@testable import FreezeHookAdmin
@testable import FreezeHookBase

/// What `setup` makes of an agent as people configure it, and what `check` says before and after.
@Suite struct AgentSetupTests {
    /// A configuration, and what becomes of it.
    struct Case: CustomTestStringConvertible, Sendable {
        var name: String
        var family = SystemFamily.debian12
        /// Whether the package's drop-ins are there.
        var isWired = false
        /// The path that `setup` writes; nil when it leaves the agent to the administrator.
        var changed: String?
        /// A part of what is said to the administrator; nil when nothing is.
        var told: String?
        var change: @Sendable (SystemFixture) throws -> Void

        var testDescription: String { name }
    }

    private static let dropIns = "/etc/systemd/system/qemu-guest-agent.service.d"
    private static let added = "\(dropIns)/zz-fsfreeze-hook-command.conf"

    private static func override(_ arguments: String, name: String = "override.conf")
        -> @Sendable (SystemFixture) throws -> Void
    {
        { try $0.file("\(dropIns)/\(name)", "[Service]\nExecStart=\nExecStart=-/usr/sbin/qemu-ga \(arguments)\n") }
    }

    private static func own(_ path: String, _ text: String = "quiesce \"$1\"")
        -> @Sendable (SystemFixture) throws -> Void
    {
        { try $0.file(path, "#!/bin/sh\n\(text)\n", mode: 0o755) }
    }

    static let cases: [Case] = [
        // A guide's drop-in names QEMU's script.
        Case(name: "-F", changed: added, change: override("-F/etc/qemu/fsfreeze-hook")),
        Case(
            name: "-F beside the package", isWired: true, changed: added,
            change: override("-v -F/etc/qemu/fsfreeze-hook")),
        Case(name: "--fsfreeze-hook=", changed: added, change: override("--fsfreeze-hook=/etc/qemu/fsfreeze-hook -v")),
        Case(
            name: "--fsfreeze-hook with a blank", changed: added,
            change: override("--fsfreeze-hook /etc/qemu/fsfreeze-hook")),
        Case(name: "-F with a blank", changed: added, change: override("-F /opt/ignored")),
        Case(name: "-F in quotes", changed: added, change: override("\"-F/etc/qemu/fsfreeze-hook\" '-v'")),
        Case(name: "a script that is gone", changed: added) {
            try override("-F/etc/qemu-ga/fsfreeze-hook")($0)
        },
        Case(name: "appended twice", changed: added) {
            let text = "[Service]\nExecStart=\nExecStart=-/usr/sbin/qemu-ga -F/etc/qemu/fsfreeze-hook\n"
            try $0.file("\(dropIns)/override.conf", text + text)
        },
        Case(
            name: "a drop-in that comes late", changed: "\(dropIns)/zzzz-fsfreeze-hook-command.conf",
            change: override("-F/etc/qemu/fsfreeze-hook", name: "zzz.conf")),
        Case(
            name: "a drop-in that comes after all",
            told: "ExecStart in \(dropIns)/~.conf names /etc/qemu/fsfreeze-hook: put -F",
            change: override("-F/etc/qemu/fsfreeze-hook", name: "~.conf")),
        Case(name: "a unit of their own", changed: added) {
            try $0.file(
                "/etc/systemd/system/qemu-guest-agent.service",
                "[Service]\nExecStart=/usr/local/bin/qemu-ga \\\n  # the hook\n  -F/etc/qemu/fsfreeze-hook \\\n  -m virtio-serial\n"
            )
        },
        Case(name: "RHEL's path in a unit", family: .rhel9, changed: added) {
            try $0.file(
                "\(dropIns)/override.conf",
                "[Service]\nExecStart=\nExecStart=-/usr/bin/qemu-ga -F/etc/qemu-ga/fsfreeze-hook\n")
        },
        Case(name: "arguments in a variable", changed: added) {
            try $0.file("/etc/ga.env", "ARGS='-v -F/etc/qemu/fsfreeze-hook'\n")
            try $0.file(
                "\(dropIns)/x.conf",
                "[Service]\nEnvironmentFile=/etc/ga.env\nExecStart=\nExecStart=/usr/sbin/qemu-ga $ARGS\n")
        },
        Case(
            name: "another hook", told: "ExecStart in \(dropIns)/override.conf names another hook, /opt/own",
            change: override("-F/opt/own")),
        Case(name: "another hook that is a hook of the directory", changed: added) {
            try own("/opt/own")($0)
            try $0.link("/etc/qemu/fsfreeze-hook.d/40-own", to: "/opt/own")
            try override("-F/opt/own")($0)
        },

        // RHEL's file of settings.
        Case(name: "settings of two lines", family: .rhel9, changed: "/etc/sysconfig/qemu-ga") {
            try $0.file("/etc/sysconfig/qemu-ga", "BLOCK_RPCS=guest-exec\nDAEMON_ARGS=\"-F\"\n")
        },
        Case(name: "no settings", family: .rhel9, changed: "/etc/sysconfig/qemu-ga") {
            $0.remove("/etc/sysconfig/qemu-ga")
        },
        Case(name: "an empty setting", family: .rhel9, changed: "/etc/sysconfig/qemu-ga") {
            try $0.file("/etc/sysconfig/qemu-ga", "FSFREEZE_HOOK_PATHNAME=\nBLOCK_RPCS=\n")
        },
        Case(name: "a setting in quotes", family: .rhel9, changed: "/etc/sysconfig/qemu-ga") {
            try $0.file(
                "/etc/sysconfig/qemu-ga", "BLOCK_RPCS=a,\\\nb\nFSFREEZE_HOOK_PATHNAME=\"/etc/qemu-ga/fsfreeze-hook\"\n")
        },
        Case(name: "settings behind an open quote", family: .rhel9, told: "cannot be changed: write the line") {
            try $0.file("/etc/sysconfig/qemu-ga", "BLOCK_RPCS=\"a\n")
        },
        Case(
            name: "switched off", family: .rhel9,
            told: "FSFREEZE_HOOK_PATHNAME in /etc/sysconfig/qemu-ga switches hooks off"
        ) {
            try $0.file("/etc/sysconfig/qemu-ga", "FSFREEZE_HOOK_PATHNAME=/dev/null\n")
        },

        // qemu-ga.conf.
        Case(name: "a key in another section", changed: "/etc/qemu/qemu-ga.conf") {
            try $0.file(
                "/etc/qemu/qemu-ga.conf", "[other]\nfsfreeze-hook=/etc/qemu/fsfreeze-hook\n[general]\nverbose=true\n")
        },
        Case(name: "two sections", changed: "/etc/qemu/qemu-ga.conf") {
            try $0.file(
                "/etc/qemu/qemu-ga.conf",
                "[general]\nfsfreeze-hook=/usr/sbin/fsfreeze-hook\n[general]\nfsfreeze-hook=/etc/qemu/fsfreeze-hook\n")
        },
        Case(name: "a file that qemu-ga refuses", told: "qemu-ga refuses /etc/qemu/qemu-ga.conf for its line 2") {
            try $0.file("/etc/qemu/qemu-ga.conf", "[general]\nfsfreeze-hook\n")
        },
        Case(name: "a file that a unit's environment names", changed: "/etc/ga.conf") {
            try $0.file("\(dropIns)/c.conf", "[Service]\nEnvironment=QGA_CONF=/etc/ga.conf\n")
        },

        Case(name: "today's unit of openSUSE", family: .openSUSE, changed: "/etc/qemu/qemu-ga.conf") {
            $0.remove("/usr/lib/systemd/system/qemu-ga@.service")
            try $0.file(
                "/usr/lib/systemd/system/qemu-guest-agent.service",
                "[Service]\nEnvironmentFile=-/usr/etc/sysconfig/qemu-ga\nEnvironmentFile=-/etc/sysconfig/qemu-ga\n"
                    + "ExecStart=/usr/bin/qemu-ga -m virtio-serial -p /dev/virtio-ports/org.qemu.guest_agent.0 ${FILTER_RPC_ARGS}\n"
            )
            try $0.file("/etc/sysconfig/qemu-ga", "FILTER_RPC_ARGS=\"--block-rpcs=guest-exec\"\n")
        },

        // sysvinit and OpenRC.
        Case(
            name: "DAEMON_ARGS of sysvinit", family: .alpine,
            told: "DAEMON_ARGS in /etc/default/qemu-guest-agent names /etc/qemu/fsfreeze-hook"
        ) {
            try $0.file("/etc/init.d/qemu-guest-agent", debianScript, mode: 0o755)
            try $0.file("/etc/default/qemu-guest-agent", "DAEMON_ARGS=\"-v -F/etc/qemu/fsfreeze-hook\"\n")
        },
        Case(
            name: "DAEMON_ARGS in the script", family: .alpine,
            told: "DAEMON_ARGS in /etc/init.d/qemu-guest-agent names /etc/qemu/fsfreeze-hook"
        ) {
            let script = debianScript.replacing("DAEMON_ARGS=\"\"", with: "DAEMON_ARGS=\"-F/etc/qemu/fsfreeze-hook\"")
            try $0.file("/etc/init.d/qemu-guest-agent", script, mode: 0o755)
        },
        Case(name: "sysvinit without a hook", family: .alpine, changed: "/etc/qemu/qemu-ga.conf") {
            try $0.file("/etc/init.d/qemu-guest-agent", debianScript, mode: 0o755)
            // The package has the unit too.
            try $0.file("/lib/systemd/system/qemu-guest-agent.service", "[Service]\nExecStart=/usr/sbin/qemu-ga\n")
        },
        Case(
            name: "command_args of OpenRC", family: .alpine,
            told: "command_args in /etc/init.d/qemu-guest-agent names /etc/qemu/fsfreeze-hook"
        ) {
            try $0.file(
                "/etc/init.d/qemu-guest-agent",
                "#!/sbin/openrc-run\ncommand=/usr/bin/qemu-ga\ncommand_args=\"-m ${GA_METHOD:-virtio-serial} -F/etc/qemu/fsfreeze-hook -d\"\n",
                mode: 0o755)
        },
        Case(
            name: "a variable of OpenRC's settings", family: .alpine,
            told: "GA_ARGS in /etc/conf.d/qemu-guest-agent names /etc/qemu/fsfreeze-hook"
        ) {
            try $0.file(
                "/etc/init.d/qemu-guest-agent", "#!/sbin/openrc-run\ncommand_args=\"-d ${GA_ARGS}\"\n", mode: 0o755)
            try $0.file("/etc/conf.d/qemu-guest-agent", "GA_ARGS=\"-F/etc/qemu/fsfreeze-hook\"\n")
        },

        // A program of the administrator's in the place of QEMU's script.
        Case(
            name: "an own script in qemu-ga.conf", changed: "/etc/qemu/qemu-ga.conf",
            told:
                "/etc/qemu/fsfreeze-hook is not QEMU's script: /etc/qemu/fsfreeze-hook.d/40-fsfreeze-hook makes it a hook"
        ) {
            try own("/etc/qemu/fsfreeze-hook")($0)
            try $0.file("/etc/qemu/qemu-ga.conf", "[general]\nfsfreeze-hook=/etc/qemu/fsfreeze-hook\n")
        },
        Case(name: "an own script in a drop-in", changed: added, told: "40-fsfreeze-hook makes it a hook") {
            try own("/etc/qemu/fsfreeze-hook")($0)
            try override("-F/etc/qemu/fsfreeze-hook")($0)
        },
        Case(
            name: "an own script of RHEL", family: .rhel9, changed: "/etc/sysconfig/qemu-ga",
            told: "40-fsfreeze-hook makes it a hook"
        ) {
            try own("/etc/qemu-ga/fsfreeze-hook")($0)
        },
        Case(
            name: "an own script that the package has displaced", family: .rhel9, isWired: true,
            told: "40-fsfreeze-hook makes it a hook"
        ) {
            try own("/etc/qemu-ga/fsfreeze-hook")($0)
        },
        Case(
            name: "a dispatcher",
            told: "ExecStart in \(dropIns)/override.conf names /etc/qemu/fsfreeze-hook, which is not QEMU's script"
        ) {
            try own("/etc/qemu/fsfreeze-hook", "for f in /etc/qemu/fsfreeze-hook.d/*; do quiesce $f; done")($0)
            try override("-F/etc/qemu/fsfreeze-hook")($0)
        },
        Case(name: "an own script that nothing names", changed: "/etc/qemu/qemu-ga.conf", told: "is not called: ln -s")
        {
            try own("/etc/qemu/fsfreeze-hook")($0)
        },
    ]

    private static let debianScript = """
        #! /bin/sh
        NAME=qemu-ga
        DAEMON=/usr/sbin/$NAME
        PIDFILE=/var/run/$NAME.pid
        DAEMON_ARGS=""
        TRANSPORT=virtio-serial:/dev/virtio-ports/org.qemu.guest_agent.0
        [ -r /etc/default/qemu-guest-agent ] && . /etc/default/qemu-guest-agent
        method=${TRANSPORT%%:*}; path=${TRANSPORT#*:}
        start-stop-daemon -Sq -p $PIDFILE -x $DAEMON -- --daemonize \\
            $DAEMON_ARGS -m "$method" -p "$path" \\
            || return 2

        """

    private func fixture(_ wanted: Case) throws -> SystemFixture {
        let fixture = try SystemFixture(wanted.family, isWired: wanted.isWired)
        if wanted.family != .alpine {
            try fixture.file("/usr/lib/systemd/systemd", "", mode: 0o755)
            try fixture.file(
                "\(Self.dropIns)/60-fsfreeze-hook-recover.conf",
                Checkout.text(of: "systemd/60-fsfreeze-hook-recover.conf"))
        }
        try wanted.change(fixture)
        try start(fixture)
        return fixture
    }

    /// Starts the agent as its service would.
    private func start(_ fixture: SystemFixture) throws {
        let arguments: [String]
        switch try fixture.machine().agent.service {
        case .unit(_, let unit):
            let tree = try fixture.machine().tree
            arguments = unit.words(in: tree).map(\.text)
            let environment = unit.environment(in: tree).map { "\($0.key)=\($0.value.text)\0" }
            try fixture.file("/proc/\(SystemFixture.agent)/environ", environment.joined())
        case .script(let script): arguments = ["/usr/sbin/qemu-ga"] + script.words.map(\.text)
        case nil: throw TestFailure("no service")
        }
        try fixture.process(SystemFixture.agent, "qemu-ga", arguments)
    }

    @Test(arguments: cases)
    func `Setup switches it, or says who has to do what, and check says the same`(wanted: Case) throws {
        let fixture = try fixture(wanted)
        let before = try fixture.contents()
        let plan = try Setup(fixture.machine()).plan()
        let paths = plan.changes.map(\.path).filter { !$0.hasSuffix(".d") && !$0.contains("fsfreeze-hook.d/") }
        #expect(paths == [wanted.changed].compactMap(\.self), "\(plan)")
        #expect(wanted.told == nil ? plan.attention == [] : plan.attention.count == 1, "\(plan.attention)")
        if let told = wanted.told { #expect(plan.attention.first?.contains(told) == true, "\(plan.attention)") }
        let repairs = try fixture.findings("agent").compactMap(\.repair)
        if wanted.changed == nil && !wanted.isWired { #expect(repairs == plan.attention, "\(repairs)") }
        if wanted.changed != nil { #expect(repairs.contains("fsfreeze-hook setup --apply"), "\(repairs)") }

        var setup = try Setup(fixture.machine())
        let made = try setup.apply()
        if wanted.changed != nil { #expect(made.restart != nil) }
        try start(fixture)
        // The mend is whole: check has nothing left that `setup` would mend, and nothing at all where all was told.
        let after = try fixture.findings("agent")
        #expect(!after.contains { $0.repair == "fsfreeze-hook setup --apply" }, "\(after)")
        if wanted.changed != nil {
            #expect(after.allSatisfy { $0.severity == .note }, "\(after)")
            #expect(try fixture.machine().agent.isCalled)
            #expect(try Setup(fixture.machine()).plan().changes.isEmpty)
        }
        var last = try Setup(fixture.machine())
        #expect(try last.undo().isGood)
        #expect(try fixture.contents() == before)
    }

    @Test func `The drop-in has the command line in force, with the program in place of the hook`() throws {
        let fixture = try fixture(
            Case(
                name: "",
                change: Self.override("-v \"-F/etc/qemu/fsfreeze-hook\" -t/run/x --path=/etc/qemu/fsfreeze-hook.sock")))
        var setup = try Setup(fixture.machine())
        let change = try #require(try setup.apply().changes.first { $0.path == Self.added })
        #expect(
            change.diff.map(\.text).suffix(3) == [
                "+[Service]", "+ExecStart=",
                "+ExecStart=-/usr/sbin/qemu-ga -v \"-F/usr/sbin/fsfreeze-hook\" -t/run/x --path=/etc/qemu/fsfreeze-hook.sock",
            ])
        #expect(try setup.plan().restart == nil || fixture.machine().agent.needsRestart)
    }

    @Test func `What the package has displaced is told until it is a hook`() throws {
        let fixture = try SystemFixture(.debian12)
        try fixture.addMariaDB()
        try Self.own("/etc/qemu/fsfreeze-hook")(fixture)
        // Nothing names it: nobody may have missed it.
        #expect(try fixture.findings("agent").map(\.severity) == [.note])
        try fixture.file("/etc/qemu/qemu-ga.conf", "[general]\nfsfreeze-hook=/etc/qemu/fsfreeze-hook\n")
        let finding = try #require(try fixture.findings("agent").first)
        #expect(finding.severity == .warning)
        #expect(
            finding.reason
                == "/etc/qemu/fsfreeze-hook is not QEMU's script, and qemu-ga does not call it: its work is no longer done"
        )
        #expect(finding.repair == "ln -s /etc/qemu/fsfreeze-hook /etc/qemu/fsfreeze-hook.d/40-fsfreeze-hook")
        var setup = try Setup(fixture.machine())
        #expect(try setup.apply().changes.map(\.path) == ["/etc/qemu/fsfreeze-hook.d/40-fsfreeze-hook"])
        #expect(try fixture.findings("agent") == [])
        #expect(try Setup(fixture.machine()).plan().isGood)
        // Switched off by hand: it stays so, and is told.
        fixture.remove("/etc/qemu/fsfreeze-hook.d/40-fsfreeze-hook")
        let again = try Setup(fixture.machine()).plan()
        #expect(again.changes.isEmpty)
        #expect(again.attention.first?.contains("was removed after an earlier set-up, and stays so") == true)
        try fixture.file("/etc/qemu/fsfreeze-hook", "#!/bin/sh\nquiesce\n", mode: 0o644)
        #expect(try fixture.findings("agent") == [])
    }

    @Test func `QEMU's script is known by its lines`() throws {
        let text = try #require(
            Files.exists("/etc/qemu/fsfreeze-hook") ? Files.text(of: "/etc/qemu/fsfreeze-hook") : nil)
        func isStock(_ text: String) -> Bool { StockScript.isStock(Array(text.utf8)) }
        #expect(isStock(text), "the package's own script")
        #expect(isStock("#!/bin/sh\n") && isStock(""))
        #expect(
            isStock(text.replacing("LOGFILE=/var/log/qga-fsfreeze-hook.log", with: "LOGFILE=\"/var/log/qga/x.log\"")))
        #expect(isStock(text.replacing("\n", with: "  \r\n")))
        #expect(!isStock(text.replacing("LOGFILE=/var/log/qga-fsfreeze-hook.log", with: "LOGFILE=$(quiesce)")))
        #expect(!isStock(text.replacing("exit 0\n", with: "quiesce \"$1\"\nexit 0\n")))
        #expect(!isStock(text + "[ \"$1\" = freeze ] && sync"))
    }

    /// The recovery that the drop-in of an administrator's hides cannot be made.
    @Test func `A drop-in of that name with another content is told, and not promised`() throws {
        let fixture = try SystemFixture(.debian12, isWired: false)
        try fixture.file("\(Self.dropIns)/60-fsfreeze-hook-recover.conf", "[Service]\nNice=1\n")
        let attention = try Setup(fixture.machine()).plan().attention
        #expect(attention.first?.contains("60-fsfreeze-hook-recover.conf is somebody's own") == true)
        #expect(try fixture.findings("agent").compactMap(\.repair).contains(attention[0]))
    }
}
