// SPDX-License-Identifier: Apache-2.0

import Glibc
import SystemPackage
import TestSupport
import Testing

@testable import FreezeHook
@testable import FreezeHookAdmin
@testable import FreezeHookBase
@testable import FreezeHookRecipes

/// `check` on the files of machines of each family.
@Suite struct CheckTests {
    @Test(arguments: SystemFamily.allCases)
    func `A machine that is set up has no finding`(family: SystemFamily) throws {
        let fixture = try SystemFixture(family)
        try fixture.addMariaDB()
        #expect(try fixture.findings() == [])
        #expect(try CheckReport(fixture.machine()).good)
    }

    @Test(arguments: SystemFamily.allCases)
    func `An agent that does not call the program is an error, and setup mends it`(family: SystemFamily) throws {
        let fixture = try SystemFixture(family, isWired: false)
        let finding = try #require(try fixture.findings("agent").first)
        #expect(finding.severity == .error)
        #expect(finding.repair == "fsfreeze-hook setup --apply")
        #expect(finding.subject == "qemu-ga, process \(SystemFixture.agent)")
        #expect(
            finding.reason.hasPrefix(
                family == .rhel9 ? "qemu-ga calls /etc/qemu-ga/fsfreeze-hook" : "qemu-ga was started without"))
    }

    /// A fault of a machine, and the finding on it.
    struct Case: CustomTestStringConvertible, Sendable {
        var name: String
        var family = SystemFamily.debian12
        var check: String
        var severity = Finding.Severity.error
        var reason: String
        var repair: String?
        var change: @Sendable (SystemFixture) throws -> Void

        var testDescription: String { name }
    }

    static let digits = String(repeating: "0123456789abcdef", count: 4)

    static let cases: [Case] = [
        Case(
            name: "the agent does not run", check: "agent", reason: "qemu-ga does not run",
            repair: "systemctl start qemu-guest-agent"
        ) {
            $0.remove("/proc/400")
        },
        Case(
            name: "the agent of Alpine does not run", family: .alpine, check: "agent", reason: "qemu-ga does not run",
            repair: "rc-service qemu-guest-agent start"
        ) { $0.remove("/proc/400") },
        Case(
            name: "the agent is not installed", check: "agent", reason: "qemu-ga is not installed",
            repair: "apt-get install qemu-guest-agent"
        ) {
            $0.remove("/proc/400")
            $0.remove("/usr/lib/systemd/system/qemu-guest-agent.service")
        },
        Case(
            name: "its unit is masked", check: "agent", reason: "qemu-ga does not run, and its unit is masked",
            repair: "systemctl unmask --now qemu-guest-agent"
        ) {
            $0.remove("/proc/400")
            try $0.link("/etc/systemd/system/qemu-guest-agent.service", to: "/dev/null")
            try $0.file("/dev/null", "")
        },
        Case(
            name: "the agent was not started anew", check: "agent",
            reason: "was started before it was told of the program",
            repair: "systemctl restart qemu-guest-agent"
        ) { try $0.process(400, "qemu-ga", ["/usr/sbin/qemu-ga"]) },
        Case(
            name: "the configuration file was written after its start", family: .openSUSE, check: "agent",
            reason: "was started before it was told of the program", repair: "systemctl restart 'qemu-ga@*'"
        ) { try $0.process(400, "qemu-ga", $0.agentArguments, started: -3600) },
        Case(
            name: "the agent calls something else", check: "agent", reason: "qemu-ga calls /opt/hook instead of",
            repair: "fsfreeze-hook setup --apply"
        ) {
            try $0.process(400, "qemu-ga", ["/usr/sbin/qemu-ga", "-F/opt/hook"])
            $0.remove("/usr/lib/systemd/system/qemu-guest-agent.service.d/50-fsfreeze-hook.conf")
        },
        Case(
            name: "it will not be called after the next start", check: "agent", severity: .warning,
            reason: "will not after its next start"
        ) {
            try $0.file(
                "/etc/systemd/system/qemu-guest-agent.service.d/90-mine.conf",
                "[Service]\nExecStart=\nExecStart=/usr/sbin/qemu-ga\n")
        },
        Case(
            name: "the drop-in is masked", check: "agent", severity: .warning, reason: "will not after its next start"
        ) {
            try $0.link("/etc/systemd/system/qemu-guest-agent.service.d/50-fsfreeze-hook.conf", to: "/dev/null")
            try $0.file("/dev/null", "")
        },
        Case(name: "two agents", check: "agent", severity: .warning, reason: "runs more than once (400, 401)") {
            try $0.process(401, "qemu-ga", ["/usr/sbin/qemu-ga", "-F/usr/sbin/fsfreeze-hook"])
        },
        Case(
            name: "nothing recovers", check: "agent", severity: .warning,
            reason: "does not call 'fsfreeze-hook recover'",
            repair: "fsfreeze-hook setup --apply"
        ) { $0.remove("/usr/lib/systemd/system/qemu-guest-agent.service.d/60-fsfreeze-hook-recover.conf") },
        Case(
            name: "the freeze is forbidden on the command line", family: .rhel9, check: "agent-commands",
            reason: "told to refuse guest-fsfreeze-freeze: no backup can freeze this machine",
            repair: "take guest-fsfreeze-freeze out of BLOCK_RPCS in /etc/sysconfig/qemu-ga"
        ) {
            try $0.file("/etc/sysconfig/qemu-ga", "BLOCK_RPCS=guest-exec,\\\nguest-fsfreeze-freeze\n")
            try $0.process(400, "qemu-ga", $0.agentArguments + ["--block-rpcs=guest-exec,guest-fsfreeze-freeze"])
        },
        Case(
            name: "what the process alone forbids", check: "agent-commands",
            reason: "told to refuse guest-fsfreeze-thaw: what is frozen stays frozen",
            repair: "systemctl restart qemu-guest-agent"
        ) { try $0.process(400, "qemu-ga", $0.agentArguments + ["-b", "guest-fsfreeze-thaw"]) },
        Case(
            name: "an allow-list in a variable", family: .rhel9, check: "agent-commands",
            reason: "told to refuse guest-fsfreeze-freeze, guest-fsfreeze-freeze-list, guest-fsfreeze-thaw and",
            repair: "add guest-fsfreeze-freeze,guest-fsfreeze-freeze-list,guest-fsfreeze-thaw,guest-fsfreeze-status to "
                + "QEMU_GA_ARGS in /etc/sysconfig/qemu-ga"
        ) {
            try $0.file(
                "/usr/lib/systemd/system/qemu-guest-agent.service",
                "[Service]\nEnvironmentFile=-/etc/sysconfig/qemu-ga\nExecStart=/usr/bin/qemu-ga -F${FSFREEZE_HOOK_PATHNAME} $QEMU_GA_ARGS\n"
            )
            try $0.file("/etc/sysconfig/qemu-ga", "QEMU_GA_ARGS=--allow-rpcs=guest-exec,guest-exec-status\n")
            try $0.process(400, "qemu-ga", $0.agentArguments + ["--allow-rpcs=guest-exec,guest-exec-status"])
        },
        Case(
            name: "a list in the unit", check: "agent-commands",
            reason: "told to refuse guest-fsfreeze-freeze and guest-fsfreeze-thaw: no backup",
            repair: "take guest-fsfreeze-freeze and guest-fsfreeze-thaw out of ExecStart in "
                + "/etc/systemd/system/qemu-guest-agent.service.d/90-list.conf"
        ) {
            try $0.file(
                "/etc/systemd/system/qemu-guest-agent.service.d/90-list.conf",
                "[Service]\nExecStart=\nExecStart=/usr/sbin/qemu-ga -F/usr/sbin/fsfreeze-hook "
                    + "-b guest-fsfreeze-freeze,guest-fsfreeze-thaw\n")
            try $0.process(400, "qemu-ga", $0.agentArguments + ["-b", "guest-fsfreeze-freeze,guest-fsfreeze-thaw"])
        },
        Case(
            name: "a list of OpenRC", family: .alpine, check: "agent-commands", severity: .warning,
            reason:
                "told to refuse guest-fsfreeze-freeze-list: a host that freezes some filesystems only gets an error",
            repair: "take guest-fsfreeze-freeze-list out of GA_ARGS in /etc/conf.d/qemu-guest-agent"
        ) {
            try $0.file(
                "/etc/init.d/qemu-guest-agent", "#!/sbin/openrc-run\ncommand_args=\"-d $GA_ARGS\"\n", mode: 0o755)
            try $0.file("/etc/conf.d/qemu-guest-agent", "GA_ARGS=\"-b guest-fsfreeze-freeze-list\"\n")
            try $0.process(400, "qemu-ga", $0.agentArguments + ["-b", "guest-fsfreeze-freeze-list"])
        },
        Case(
            name: "only the freeze of some filesystems is missing", check: "agent-commands", severity: .warning,
            reason:
                "told to refuse guest-fsfreeze-freeze-list: a host that freezes some filesystems only gets an error",
            repair: "add guest-fsfreeze-freeze-list to allow-rpcs in /etc/qemu/qemu-ga.conf"
        ) {
            try $0.file(
                "/etc/qemu/qemu-ga.conf",
                "[general]\nallow-rpcs=guest-fsfreeze-freeze,guest-fsfreeze-thaw,guest-fsfreeze-status\n")
        },
        Case(
            name: "an allow-list with blanks", check: "agent-commands", severity: .warning,
            reason: "told to refuse guest-fsfreeze-status: a host that asks",
            repair: "add guest-fsfreeze-status to allow-rpcs in /etc/qemu/qemu-ga.conf"
        ) {
            try $0.file(
                "/etc/qemu/qemu-ga.conf",
                "[general]\nallow-rpcs=guest-fsfreeze-freeze,guest-fsfreeze-freeze-list,guest-fsfreeze-thaw, guest-fsfreeze-status\n"
            )
        },
        Case(
            name: "a state directory of its own", check: "agent", severity: .note,
            reason: "qemu-ga notes in /run/qemu-ga/qga.state.isfrozen that filesystems are frozen"
        ) { try $0.process(400, "qemu-ga", $0.agentArguments + ["--statedir", "/run/qemu-ga"]) },
        Case(
            name: "a verbose agent without a log file", check: "agent", severity: .note,
            reason: "a freeze that it gives up itself cannot be told from a backup"
        ) { try $0.process(400, "qemu-ga", $0.agentArguments + ["--verbose"]) },
        Case(
            name: "the agent of sysvinit does not run", family: .alpine, check: "agent", reason: "qemu-ga does not run",
            repair: "service qemu-guest-agent start"
        ) {
            try $0.file("/etc/init.d/qemu-guest-agent", "#!/bin/sh\n", mode: 0o755)
            $0.remove("/proc/400")
        },
        Case(
            name: "the thaw is forbidden in the file", check: "agent-commands",
            reason: "guest-fsfreeze-thaw and guest-fsfreeze-status: what is frozen stays frozen"
        ) {
            try $0.file("/etc/qemu/qemu-ga.conf", "[general]\nblacklist = guest-fsfreeze-thaw,guest-fsfreeze-status\n")
        },
        Case(
            name: "other commands alone are allowed", check: "agent-commands", reason: "guest-fsfreeze-freeze-list"
        ) { try $0.process(400, "qemu-ga", $0.agentArguments + ["-a", "guest-ping,guest-exec"]) },
        Case(
            name: "no virtio port", check: "agent-port", reason: "no virtio port org.qemu.guest_agent.0",
            repair: "qm set VMID --agent"
        ) {
            $0.remove("/sys/class/virtio-ports")
        },
        Case(
            name: "AppArmor", check: "confinement", severity: .warning, reason: "by the profile /usr/sbin/qemu-ga",
            repair: "aa-complain '/usr/sbin/qemu-ga'"
        ) { try $0.file("/proc/400/attr/current", "/usr/sbin/qemu-ga (enforce)\n") },
        Case(
            name: "a bad configuration", check: "configuration", reason: "unknown setting 'nonsense'",
            repair: "mend /etc/qemu/fsfreeze-hook.conf"
        ) {
            try $0.file("/etc/qemu/fsfreeze-hook.conf", "[general]\nnonsense = 1\n")
        },
        Case(
            name: "a hook of somebody else", check: "hooks", reason: "20-shop is refused, as somebody else than root",
            repair: "chown -h root:root /etc/qemu/fsfreeze-hook.d/20-shop"
        ) { try $0.file("/etc/qemu/fsfreeze-hook.d/20-shop", "#!/bin/sh\n", mode: 0o777) },
        Case(
            name: "a link to nothing", check: "hooks", severity: .warning,
            reason: "20-old does not run: it is a link that leads nowhere",
            repair: "rm /etc/qemu/fsfreeze-hook.d/20-old"
        ) { try $0.link("/etc/qemu/fsfreeze-hook.d/20-old", to: "/nothing") },
        Case(name: "a header that is wrong", check: "hooks", severity: .warning, reason: "unknown guarantee 'sure'") {
            try $0.file(
                "/etc/qemu/fsfreeze-hook.d/20-shop", "#!/bin/sh\n# fsfreeze-hook: guarantee = sure\n", mode: 0o755)
        },
        Case(
            name: "hooks in the other directory", check: "hooks", severity: .warning,
            reason: "20-shop in /etc/qemu-ga/fsfreeze-hook.d will not run", repair: "mv /etc/qemu-ga/fsfreeze-hook.d/*"
        ) { try $0.file("/etc/qemu-ga/fsfreeze-hook.d/20-shop", "#!/bin/sh\n", mode: 0o755) },
        Case(
            name: "hooks where manuals say, and nobody looks", check: "hooks", severity: .warning,
            reason: "20-shop in /etc/qemu-ga/hooks.d will not run: hooks are looked for in /etc/qemu/fsfreeze-hook.d",
            repair: "mv /etc/qemu-ga/hooks.d/* /etc/qemu/fsfreeze-hook.d/"
        ) { try $0.file("/etc/qemu-ga/hooks.d/20-shop", "#!/bin/sh\n", mode: 0o755) },
        Case(
            name: "an agent that runs the hooks of another directory", check: "hooks", severity: .warning,
            reason:
                "qemu-ga calls /opt/own/fsfreeze-hook, which runs the hooks in /opt/own/fsfreeze-hook.d, and not those "
                + "in /etc/qemu/fsfreeze-hook.d",
            repair: "fsfreeze-hook check --hook-dir /opt/own/fsfreeze-hook.d"
        ) {
            try $0.link("/opt/own/fsfreeze-hook", to: "/usr/sbin/fsfreeze-hook")
            try $0.file("/opt/own/fsfreeze-hook.d/20-shop", "#!/bin/sh\n", mode: 0o755)
            try $0.process(SystemFixture.agent, "qemu-ga", ["qemu-ga", "-F/opt/own/fsfreeze-hook"])
        },
        Case(
            name: "a configuration that is not read", check: "configuration", severity: .warning,
            reason: "/etc/qemu-ga/fsfreeze-hook.conf is not read",
            repair: "move what it says to /etc/qemu/fsfreeze-hook.conf"
        ) { try $0.file("/etc/qemu-ga/fsfreeze-hook.conf", "[general]\n") },
        Case(
            name: "a link that cannot be followed", check: "hooks",
            reason: "20-loop is refused, as it cannot be looked at: ",
            repair: "namei -l /etc/qemu/fsfreeze-hook.d/20-loop"
        ) { try $0.link("/etc/qemu/fsfreeze-hook.d/20-loop", to: "20-loop") },
        Case(
            name: "a required hook that is gone", check: "hooks",
            reason: "20-old is required, and is a link that leads",
            repair: "namei -l"
        ) {
            try $0.link("/etc/qemu/fsfreeze-hook.d/20-old", to: "/nothing")
            try $0.file("/etc/qemu/fsfreeze-hook.conf", "[hook old]\nrequired = yes\n")
        },
        Case(
            name: "a hook directory that cannot be listed", check: "hooks",
            reason: "the directory /etc/qemu/fsfreeze-hook.d cannot be read, and no hook runs: ",
            repair: "namei -l /etc/qemu/fsfreeze-hook.d"
        ) {
            $0.remove("/etc/qemu/fsfreeze-hook.d")
            try $0.link("/etc/qemu/fsfreeze-hook.d", to: "fsfreeze-hook.d")
        },
        Case(
            name: "scripts of another product", check: "hooks", severity: .note,
            reason: "/usr/sbin/pre-freeze-script and /usr/sbin/post-thaw-script: scripts of another product",
            repair: "write freeze = /usr/sbin/pre-freeze-script and thaw = /usr/sbin/post-thaw-script into "
                + "/etc/qemu/fsfreeze-recipes.d/scripts.conf, then: fsfreeze-hook enable scripts"
        ) {
            for name in ["pre-freeze-script", "post-thaw-script"] {
                try $0.file("/usr/sbin/\(name)", "#!/bin/sh\n", mode: 0o755)
            }
        },
        Case(name: "no hook at all", check: "hooks", severity: .note, reason: "images are crash-consistent") {
            $0.remove("/etc/qemu/fsfreeze-hook.d/50-mariadb")
            $0.remove("/proc/500")
        },
        Case(
            name: "a database without its recipe", check: "recipes", reason: "PostgreSQL runs here and is not held",
            repair: "fsfreeze-hook enable postgresql"
        ) { try $0.process(600, "postgres", ["postgres"]) },
        Case(
            name: "a database with a hook of the administrator's", check: "recipes", severity: .warning,
            reason: "unless 20-shop does it"
        ) {
            try $0.process(600, "postgres", ["postgres"])
            let header = "# fsfreeze-hook: guarantee = native-copy\n"
            try $0.file("/etc/qemu/fsfreeze-hook.d/20-shop", "#!/bin/sh\n\(header)", mode: 0o755)
        },
        Case(
            name: "an application with a native copy", check: "recipes", severity: .warning,
            reason: "etcd runs here and is not held",
            repair: "fsfreeze-hook enable etcd"
        ) { try $0.process(600, "etcd", ["etcd"]) },
        Case(
            name: "a database in a container", check: "recipes", severity: .warning,
            reason: "PostgreSQL runs in the container shop-db",
            repair: "name it in /etc/qemu/fsfreeze-recipes.d/postgresql.conf"
        ) {
            try $0.process(600, "postgres", ["postgres"], container: digits)
            try $0.file("/var/lib/docker/containers/\(digits)/config.v2.json", #"{"ID":"0123","Name":"/shop-db"}"#)
        },
        Case(
            name: "a database in a container of another kind", check: "recipes", severity: .note,
            reason: "a process 600 of user 0 is called postgres and is not taken for a server: it is in a container",
            repair: "if it is one, name it in a section of /etc/qemu/fsfreeze-recipes.d/postgresql.conf"
        ) { try $0.process(600, "postgres", ["postgres"], container: "unknown") },
        Case(
            name: "a container that a user has made up", check: "recipes", severity: .note,
            reason: "a process 600 of user 0 is called postgres and is not taken for a server: it is in a container"
        ) { try $0.process(600, "postgres", ["postgres"], container: digits, groupOwner: stranger) },
        Case(
            name: "a user's process of a database's name", check: "recipes", severity: .note,
            reason: "a process 600 of user bob is called postgres, as 2 others, and is not taken for a server: "
                + "a server runs as root or as a system's user"
        ) {
            try $0.file("/etc/passwd", "root:x:0:0:root:/root:/bin/sh\nbob:x:4711:4711::/:/bin/sh\n")
            for pid in 600..<603 { try $0.process(pid, "postgres", ["postgres"], user: stranger) }
        },
        Case(
            name: "an interpreter of a database's name", check: "recipes", severity: .note,
            reason: "a process 600 of user 106 is called beam.smp and is not taken for a server: "
                + "its program beam.smp is an interpreter"
        ) { try $0.process(600, "beam.smp", ["/usr/lib/erlang/erts-13/bin/beam.smp"], user: 106) },
        Case(name: "data in memory", check: "data", reason: "in memory (tmpfs): no image contains it") {
            try $0.mounts("40 22 0:50 / /var/lib/mysql rw - tmpfs tmpfs rw")
        },
        Case(
            name: "data on ZFS", check: "data", reason: "on ZFS, which qemu-ga does not freeze",
            repair: "zfs snapshot tank/mysql@NAME"
        ) {
            try $0.mounts("40 22 0:50 / /var/lib/mysql rw - zfs tank/mysql rw")
        },
        Case(
            name: "data on another host", check: "data",
            reason: "on nfs4 from nas:/mysql: it is not on this machine's disks"
        ) {
            try $0.mounts("40 22 0:50 / /var/lib/mysql rw - nfs4 nas:/mysql rw")
        },
        Case(
            name: "data on an overlay", check: "data", severity: .warning,
            reason: "on overlay, which qemu-ga does not freeze itself"
        ) {
            try $0.mounts("40 22 0:50 / /var/lib/mysql rw - overlay overlay rw,lowerdir=/a")
        },
        Case(
            name: "data on a disk that is read-only", check: "data", severity: .warning, reason: "mounted read-only",
            repair: "mount -o remount,rw /var/lib/mysql"
        ) {
            try $0.mounts("40 22 254:3 / /var/lib/mysql ro - ext4 /dev/vda3 ro")
        },
        Case(name: "data that only an open file shows", check: "data", reason: "mariadb has data in /srv/db, on nfs4") {
            try $0.mounts("40 22 0:50 / /srv/db rw - nfs4 nas:/db rw")
            try $0.process(500, "mariadbd", ["mariadbd"], files: ["/srv/db/ibdata1"])
        },
        Case(name: "a tablespace elsewhere", check: "data", reason: "postgresql has data in /mnt/space, on cifs") {
            try $0.mounts("40 22 0:50 / /mnt/space rw - cifs //nas/space rw")
            try $0.makeDirectory("/var/lib/pg")
            try $0.makeDirectory("/mnt/space")
            try $0.link("/var/lib/pg/pg_tblspc/16385", to: "/mnt/space")
            try $0.process(600, "postgres", ["postgres"], directory: "/var/lib/pg")
            try $0.link("/etc/qemu/fsfreeze-hook.d/52-postgresql", to: "/usr/libexec/fsfreeze-hook/recipes/postgresql")
        },
        Case(
            name: "a loop whose file is frozen first", check: "loop-mounts",
            reason: "a freeze hangs at /tmp: qemu-ga freezes /",
            repair: "umount /tmp && mount /tmp"
        ) {
            // A later bind mount represents the whole filesystem.
            try $0.mounts(
                "40 22 7:0 / /tmp rw - ext4 /dev/loop0 rw\n41 22 254:1 /srv /srv/export rw - ext4 /dev/vda1 rw")
            try $0.file("/sys/class/block/loop0/loop/backing_file", "/usr/tmpDSK\n")
        },
        Case(name: "a loop within a loop", check: "loop-mounts", reason: "qemu-ga freezes /outer") {
            try $0.mounts(
                "40 22 7:1 / /inner rw - ext4 /dev/loop1p1 rw\n41 22 7:0 / /outer rw - ext4 /dev/loop0 rw")
            try $0.file("/sys/class/block/loop0/loop/backing_file", "/outer.img\n")
            try $0.file("/sys/devices/virtual/block/loop1/loop/backing_file", "/outer/inner.img\n")
            try $0.file("/sys/devices/virtual/block/loop1/loop1p1/partition", "1\n")
            try $0.link("/sys/class/block/loop1p1", to: "../../devices/virtual/block/loop1/loop1p1")
        },
        Case(
            name: "a freeze that takes too long for the host", check: "limits", severity: .warning,
            reason: "a freeze may take 2min", repair: "freeze-timeout = 50s"
        ) {
            try $0.file("/etc/qemu/fsfreeze-hook.conf", "[general]\nfreeze-timeout = 2min\n")
        },
        Case(
            name: "a known host", check: "limits", severity: .warning, reason: "oVirt gives up after 8min",
            repair: "freeze-timeout = 400s"
        ) {
            try $0.file("/etc/qemu/fsfreeze-hook.conf", "[general]\nfreeze-timeout = 8min\n")
            try $0.file("/sys/class/dmi/id/product_name", "oVirt Node\n")
        },
        Case(
            name: "a thaw that takes too long", check: "limits", severity: .warning,
            reason: "a thaw may wait and try hooks again for 5min, beside what its hooks take",
            repair: "thaw-timeout = 2min"
        ) {
            try $0.file("/etc/qemu/fsfreeze-hook.conf", "[general]\nthaw-timeout = 5min\n")
        },
        Case(
            name: "no guard", check: "limits", severity: .warning, reason: "there is no guard",
            repair: "hold-limit = 5min"
        ) {
            try $0.file("/etc/qemu/fsfreeze-hook.conf", "[general]\nhold-limit = 0\n")
        },
        Case(
            name: "a pause of Redis that is too short", check: "limits",
            reason: "Redis lets its writers go on after 5min", repair: "pause = 470"
        ) {
            try $0.link("/etc/qemu/fsfreeze-hook.d/54-redis", to: "/usr/libexec/fsfreeze-hook/recipes/redis")
            try $0.file("/etc/qemu/fsfreeze-recipes.d/redis.conf", "pause = 300\n")
        },
        Case(
            name: "a pause of Redis that its recipe's header names", check: "limits",
            reason: "Redis lets its writers go on after 10min", repair: "pause = 770"
        ) {
            try $0.link("/etc/qemu/fsfreeze-hook.d/54-redis", to: "/usr/libexec/fsfreeze-hook/recipes/redis")
            try $0.file("/etc/qemu/fsfreeze-hook.conf", "[general]\nhold-limit = 10min\n")
        },
        Case(
            name: "a hook that may take longer than the freeze", check: "limits", severity: .note,
            reason: "20-slow may take 2min"
        ) {
            try $0.file(
                "/etc/qemu/fsfreeze-hook.d/20-slow",
                "#!/bin/sh\n# fsfreeze-hook: timeout = 2min\n# fsfreeze-hook: guarantee = native-copy\n", mode: 0o755)
        },
        Case(
            name: "a hook that declares no guarantee", check: "hooks", severity: .note,
            reason: "20-sql declares no guarantee", repair: "in [hook 20-sql] of /etc/qemu/fsfreeze-hook.conf"
        ) {
            try $0.file("/etc/qemu/fsfreeze-hook.d/20-sql", "#!/bin/sh\n", mode: 0o755)
        },
        Case(name: "no directory for the log", check: "log", reason: "there is no directory /var/log") {
            $0.remove("/var/log")
        },
        Case(name: "a log that is none", check: "log", reason: "it is not a file") {
            try $0.makeDirectory("/var/log/qga-fsfreeze-hook.log")
        },
        Case(name: "a log of another user", check: "log", reason: "cannot be used: it belongs to user 4711") {
            try $0.file("/var/log/qga-fsfreeze-hook.log", "")
            try giveAway(FilePath("\($0.root)/var/log/qga-fsfreeze-hook.log"), user: stranger)
        },
        Case(name: "a log that is a link", check: "log", reason: "it is a link") {
            try $0.link("/var/log/qga-fsfreeze-hook.log", to: "syslog")
        },
        Case(name: "a log on a disk that is read-only", check: "log", reason: "mounted read-only") {
            try $0.mounts("40 22 254:3 / /var ro - ext4 /dev/vda3 ro")
        },
        Case(
            name: "a log that nothing rotates", check: "log", severity: .warning,
            reason: "nothing rotates /srv/freeze.log"
        ) {
            try $0.makeDirectory("/srv")
            try $0.file("/etc/qemu/fsfreeze-hook.conf", "[general]\nlog-file = /srv/freeze.log\n")
        },
        Case(
            name: "no logrotate", family: .rhel9, check: "log", severity: .warning,
            reason: "logrotate is not installed", repair: "dnf install logrotate"
        ) {
            $0.remove("/usr/sbin/logrotate")
        },
        Case(
            name: "a time zone that leads nowhere", check: "clock", severity: .note, reason: "log and history show UTC"
        ) {
            $0.remove("/usr/share/zoneinfo/UTC")
        },
    ]

    /// A machine with the fault, of which the check has told.
    static func fixtureWithFinding(_ wrong: Case) throws -> SystemFixture {
        let fixture = try SystemFixture(wrong.family)
        try fixture.addMariaDB()
        try wrong.change(fixture)
        let found = try fixture.findings(wrong.check)
        let matching = found.filter { $0.reason.contains(wrong.reason) && $0.severity == wrong.severity }
        #expect(matching.count == 1, "\(found)")
        if let repair = wrong.repair { #expect(matching.first?.repair?.contains(repair) == true, "\(found)") }
        return fixture
    }

    @Test(arguments: cases)
    func `What is wrong is found, with its reason and what mends it`(wrong: Case) throws {
        let fixture = try Self.fixtureWithFinding(wrong)
        // Several checks see a missing process or unit; a fault of an application belongs to one check.
        guard ["recipes", "data", "limits"].contains(wrong.check) else { return }
        let others = try CheckReport(fixture.machine()).checks.filter { $0.name != wrong.check }.flatMap(\.findings)
        #expect(others == [], "\(others)")
    }

    @Test func `What looks like a fault and is none`() throws {
        let fixture = try SystemFixture(.debian12)
        try fixture.addMariaDB()
        // A loop mount that comes after its file's filesystem is frozen before it; a snap is read-only.
        try fixture.mounts(
            """
            40 22 7:0 / /tmp rw - ext4 /dev/loop0 rw
            41 22 7:1 / /snap/core ro - squashfs /dev/loop1 ro
            42 22 254:1 /srv /srv/a\\040b rw - ext4 /dev/vda1 rw
            43 22 7:2 / /data rw - ext4 /dev/loop2 rw
            44 22 0:50 / /mnt/shared rw - nfs4 nas:/shared rw
            """)
        try fixture.file("/sys/class/block/loop1/loop/backing_file", "/var/lib/snapd/core.snap\n")
        try fixture.file("/sys/class/block/loop2/loop/backing_file", "/srv/data.img\n")
        // These entries are switched off.
        try fixture.file("/etc/qemu/fsfreeze-hook.d/30-off", "#!/bin/sh\n", mode: 0o644)
        try fixture.link("/etc/qemu/fsfreeze-hook.d/40-masked", to: "/dev/null")
        // A link gives the program another name.
        try fixture.link("/etc/qemu/hook", to: "../../usr/sbin/fsfreeze-hook")
        try fixture.process(
            SystemFixture.agent, "qemu-ga", ["qemu-ga", "-F/etc/qemu/hook", "-b", "guest-exec, guest-fsfreeze-status"])
        // A file that is open for reading is no data.
        try fixture.mounts("40 22 0:50 / /mnt/shared rw - nfs4 nas:/shared rw")
        try fixture.process(
            500, "mariadbd", ["mariadbd"], directory: "/var/lib/mysql", files: ["/mnt/shared/plugin.so"])
        try fixture.file("/proc/500/fdinfo/3", "pos:\t0\nflags:\t02100000\nmnt_id:\t40\n")
        // Whoever names the instances has said which processes count.
        try fixture.process(700, "mariadbd", ["mariadbd"], user: stranger)
        // A user's qemu-ga, and one that has the name alone.
        try fixture.process(390, "qemu-ga", ["/usr/sbin/qemu-ga", "-F/home/bob/hook"], user: stranger)
        try fixture.process(391, "qemu-ga", ["qemu-ga", "-F/home/bob/hook"], program: "/usr/bin/sudo")
        // A container's database that the configuration names.
        try fixture.process(600, "mariadbd", ["mariadbd"], container: Self.digits)
        try fixture.file(
            "/var/lib/containers/storage/overlay-containers/containers.json",
            #"[{"id":"\#(Self.digits)","names":["shop"]}]"#)
        try fixture.file("/etc/qemu/fsfreeze-recipes.d/mariadb.conf", "[shop]\ncontainer = shop\n", mode: 0o600)
        let findings = try fixture.findings()
        #expect(findings == [], "\(findings)")
    }

    @Test func `A hold that comes near the limit is told, a rehearsal is not`() throws {
        let fixture = try SystemFixture(.debian12)
        try fixture.addMariaDB()
        let directory = StateDirectory(path: FilePath("\(fixture.root)/var/lib/fsfreeze-hook"))
        let history = History(directory: directory, limit: 10)
        try history.add(try Cycles.cycle("a", reason: .rehearsal) { $0.holdTime = .seconds(250) })
        #expect(try fixture.findings("limits") == [])
        try history.add(try Cycles.cycle("b") { $0.holdTime = .seconds(250) })
        let finding = try #require(try fixture.findings("limits").first)
        #expect(finding.reason.contains("backups here have held applications for 250s"))
        #expect(finding.repair?.hasPrefix("hold-limit = 500s") == true)
    }

    @Test func `A hook that was ended at its limit is told until it keeps it`() throws {
        let fixture = try SystemFixture(.debian12)
        try fixture.addMariaDB()
        let directory = StateDirectory(path: FilePath("\(fixture.root)/var/lib/fsfreeze-hook"))
        let history = History(directory: directory, limit: 10)
        func add(_ id: String, timedOut: Bool, _ action: HookAction = .freeze) throws {
            try history.add(
                try Cycles.cycle(id) { cycle in
                    cycle.hooks = [Cycles.run("50-mariadb", action, at: 0.5, 40, status: timedOut ? 143 : 0)]
                    cycle.hooks[0].timedOut = timedOut
                })
        }
        try add("a", timedOut: true)
        let finding = try #require(try fixture.findings("hooks").first)
        #expect(finding.severity == .warning && finding.subject == "50-mariadb")
        #expect(
            finding.reason.hasPrefix(
                "50-mariadb was ended at a time limit after 40.00s when it was called with freeze at 2"))
        let repair = """
            in /etc/qemu/fsfreeze-hook.conf: timeout = in [hook mariadb] and freeze-timeout = give it more time; with \
            prepare = yes it can do before the freeze what needs no lock
            """
        #expect(finding.repair == repair)
        // A cycle that did not call it says nothing of it.
        try history.add(try Cycles.cycle("b"))
        #expect(try fixture.findings("hooks").count == 1)
        try add("c", timedOut: false)
        #expect(try fixture.findings("hooks") == [])
        try add("d", timedOut: true, .thaw)
        #expect(
            try fixture.findings("hooks").first?.repair
                == "in /etc/qemu/fsfreeze-hook.conf: timeout = in [hook mariadb] gives it more time")
    }

    @Test func `A repair names the directory at fault as one word of the shell`() throws {
        let fixture = try SystemFixture(.debian12)
        try fixture.addMariaDB()
        try fixture.file("/srv/my dir/hook", "#!/bin/sh\n", mode: 0o755)
        try fixture.link("/etc/qemu/fsfreeze-hook.d/20-shop", to: "../../../srv/my dir/hook")
        let place = "\(fixture.root)/srv/my dir"
        try succeed("chmod", chmod(place, 0o777))
        let finding = try #require(try fixture.findings("hooks").first { $0.subject.hasSuffix("20-shop") })
        #expect(finding.repair == "look at it, then: chown -h root:root '\(place)' && chmod go-w,ug-s '\(place)'")
        #expect(
            finding.reason == "20-shop is refused, as somebody else than root could have written it: "
                + "the directory \(place) is writable by others")
        try succeed("chmod", chmod(place, 0o755))
        try succeed("chmod", chmod("\(place)/hook", 0o757))
        let own = try #require(try fixture.findings("hooks").first { $0.subject.hasSuffix("20-shop") })
        #expect(own.reason.hasSuffix("could have written it: it is writable by others"))
        // The link's own owner and mode do not count.
        let file = "'/srv/my dir/hook'"
        #expect(own.repair == "look at it, then: chown -h root:root \(file) && chmod go-w,ug-s \(file)")
    }

    @Test func `A repair names the bytes of a name, and not what is shown of it`() throws {
        let fixture = try SystemFixture(.debian12)
        try fixture.addMariaDB()
        try fixture.file("/etc/qemu/fsfreeze-hook.d/20-a\u{1b}b", "#!/bin/sh\n", mode: 0o757)
        let finding = try #require(try fixture.findings("hooks").first)
        let word = #"$'/etc/qemu/fsfreeze-hook.d/20-a\033b'"#
        #expect(finding.repair == "look at it, then: chown -h root:root \(word) && chmod go-w,ug-s \(word)")
    }

    @Test func `Another program's recover is none of ours`() throws {
        let fixture = try SystemFixture(.debian12)
        try fixture.addMariaDB()
        try fixture.file(
            "/usr/lib/systemd/system/qemu-guest-agent.service.d/60-fsfreeze-hook-recover.conf",
            "[Service]\nExecStopPost=-/usr/bin/other recover\n")
        #expect(try fixture.findings("agent").map(\.repair) == ["fsfreeze-hook setup --apply"])
    }

    @Test func `A clock that follows no other is a note`() throws {
        let fixture = try SystemFixture(.debian12)
        try fixture.addMariaDB()
        let report = CheckReport(try fixture.machine(clockIsSynchronised: false))
        #expect(report.good)
        #expect(report.findings.map(\.subject) == ["clock"])
        #expect(CheckReport(try fixture.machine(clockIsSynchronised: true)).findings == [])
    }

    @Test(arguments: [nil, 20, 40, 80, 200])
    func `The report keeps to its columns`(columns: Int?) throws {
        let fixture = try SystemFixture(.debian12, isWired: false)
        for number in 10..<60 { try fixture.file("/etc/qemu/fsfreeze-hook.d/\(number)-bad", "", mode: 0o755) }
        for number in 10..<60 { try fixture.file("/etc/qemu/fsfreeze-hook.d/\(number)-x", "#!/bin/sh\n", mode: 0o757) }
        let report = CheckReport(try fixture.machine())
        let lines = report.lines(for: Terminal(columns: columns))
        #expect(report.findings.count > 50)
        let severities = report.findings.map(\.severity)
        #expect(severities == Array(repeating: .error, count: 51) + [.warning, .note])
        let end = "\(report.checks.count) checks: 51 errors, 1 warning, 1 note"
        #expect(lines.joined(separator: " ").hasSuffix(end))
        for line in lines where !line.hasPrefix("         -> ") { #expect(TextWidth.of(line) <= columns ?? .max) }
    }
}
