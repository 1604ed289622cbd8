// SPDX-License-Identifier: Apache-2.0

import TestSupport
import Testing

@testable import FreezeHook
@testable import FreezeHookAdmin
@testable import FreezeHookBase
@testable import FreezeHookRecipes

/// What `check` says of sandboxes, ports, stacked devices, odd filesystems and containers.
@Suite struct HostCheckTests {
    static let dropIn = "/etc/systemd/system/qemu-guest-agent.service.d/hardening.conf"
    static let digits = CheckTests.digits

    static let cases: [CheckTests.Case] = [
        CheckTests.Case(
            name: "a strict sandbox, seen by the unit alone", check: "sandbox",
            reason: "in the sandbox of its unit (ProtectSystem=strict): what it calls cannot write /run/fsfreeze-hook, "
                + "/var/lib/fsfreeze-hook, /var/log,",
            repair: "ReadWritePaths=-/run/fsfreeze-hook -/var/lib/fsfreeze-hook -/var/log"
        ) {
            $0.remove("/proc/400")
            try $0.file(dropIn, "[Service]\nProtectSystem=strict\n")
        },
        CheckTests.Case(
            name: "a strict sandbox with some of the paths", check: "sandbox",
            reason: "cannot write /var/lib/fsfreeze-hook, so"
        ) {
            try $0.file(
                dropIn,
                "[Service]\nProtectSystem=strict\nReadWritePaths=-/var/log /run\nRuntimeDirectory=fsfreeze-hook\n")
        },
        CheckTests.Case(
            name: "a path that is closed below an open one", check: "sandbox", reason: "cannot write /var/log, so"
        ) { try $0.file(dropIn, "[Service]\nReadOnlyPaths=/var/log\nReadWritePaths=/var\n") },
        CheckTests.Case(
            name: "a sandbox that the running agent sees", check: "sandbox",
            reason: "qemu-ga runs in a sandbox: what it calls cannot write /var/lib/fsfreeze-hook, /var/log,"
        ) {
            try $0.file(
                "/proc/400/mountinfo",
                "22 1 254:1 / / ro,relatime - ext4 /dev/vda1 rw\n25 22 0:23 / /run rw - tmpfs tmpfs rw\n")
        },
        CheckTests.Case(
            name: "a sandbox that hides things from hooks", check: "sandbox", severity: .warning,
            reason: "(PrivateTmp=true, ProtectProc=invisible): hooks run in it, too",
            repair: "PrivateTmp=no, ProtectProc=default"
        ) { try $0.file(dropIn, "[Service]\nPrivateTmp=true\nProtectProc=invisible\nProtectHome=read-only\n") },
        CheckTests.Case(
            name: "a database's disk that the sandbox hides", check: "data",
            reason: "on /dev/vdb, which qemu-ga cannot see: it does not freeze it"
        ) {
            try $0.mounts("40 22 254:16 / /home rw - xfs /dev/vdb rw")
            try $0.process(500, "mariadbd", ["mariadbd"], directory: "/home/mysql")
            try $0.file(
                "/proc/400/mountinfo",
                "22 1 254:1 / / rw - ext4 /dev/vda1 rw\n40 22 254:16 / /home rw - xfs /dev/vdb rw\n"
                    + "41 40 0:60 / /home rw - tmpfs tmpfs rw\n")
        },
        CheckTests.Case(
            name: "a port of another name that is not there", check: "agent-port",
            reason: "no virtio port com.site.agent.0, which qemu-ga's command line or configuration names"
        ) {
            try $0.process(
                400, "qemu-ga",
                ["qemu-ga", "-F/usr/sbin/fsfreeze-hook", "-p", "/dev/virtio-ports/com.site.agent.0"])
        },
        CheckTests.Case(
            name: "a port's device that is not there", check: "agent-port", reason: "no virtio port vport2p1"
        ) { try $0.process(400, "qemu-ga", ["qemu-ga", "-F/usr/sbin/fsfreeze-hook", "-p/dev/vport2p1"]) },
        CheckTests.Case(
            name: "a port of the configuration that is not there", check: "agent-port",
            reason: "no virtio port com.site.agent.0"
        ) { try $0.file("/etc/qemu/qemu-ga.conf", "[general]\npath = /dev/virtio-ports/com.site.agent.0\n") },
        CheckTests.Case(
            name: "a serial port that is not there", check: "agent-port", reason: "there is no serial port /dev/ttyS1"
        ) {
            try $0.process(
                400, "qemu-ga", ["qemu-ga", "-F/usr/sbin/fsfreeze-hook", "-m", "isa-serial", "-p", "/dev/ttyS1"])
        },
        CheckTests.Case(
            name: "a loop file below LUKS and LVM", check: "loop-mounts", reason: "its file /srv/vault.img lies"
        ) {
            try $0.mounts(
                "40 22 253:1 / /vault rw - ext4 /dev/mapper/vg-vault rw\n41 22 254:1 /srv /export rw - ext4 /dev/vda1 rw"
            )
            try $0.link("/sys/dev/block/253:1", to: "../../devices/virtual/block/dm-1")
            for name in ["dm-0", "dm-1", "loop3"] {
                try $0.link("/sys/class/block/\(name)", to: "../../devices/virtual/block/\(name)")
            }
            try $0.makeDirectory("/sys/devices/virtual/block/dm-1/slaves/dm-0")
            try $0.makeDirectory("/sys/devices/virtual/block/dm-0/slaves/loop3p2")
            try $0.link("/sys/class/block/loop3p2", to: "../../devices/virtual/block/loop3/loop3p2")
            try $0.file("/sys/devices/virtual/block/loop3/loop3p2/partition", "2\n")
            try $0.file("/sys/devices/virtual/block/loop3/loop/backing_file", "/srv/vault.img\n")
        },
        CheckTests.Case(
            name: "a filesystem of a cluster", check: "cluster-filesystems", severity: .warning,
            reason: "/shared is on gfs2, a cluster's filesystem", repair: "guest-fsfreeze-freeze-list"
        ) { try $0.mounts("40 22 253:1 / /shared rw - gfs2 /dev/mapper/shared rw") },
        CheckTests.Case(
            name: "data on bcachefs", check: "data", reason: "on bcachefs, which qemu-ga does not freeze"
        ) { try $0.mounts("40 22 0:50 / /var/lib/mysql rw - bcachefs /dev/vdb rw") },
        CheckTests.Case(
            name: "data on ecryptfs", check: "data", severity: .warning,
            reason: "on ecryptfs, which qemu-ga does not freeze itself"
        ) { try $0.mounts("40 22 0:50 / /var/lib/mysql rw - ecryptfs /home/.enc rw") },
        CheckTests.Case(
            name: "a container's data on another host", check: "data",
            reason: "postgresql has data in /var/lib/postgresql/data of the container that process 600 runs in, on nfs4"
        ) {
            try $0.process(
                600, "postgres", ["postgres"], container: digits, directory: "/var/lib/postgresql/data")
            try $0.file(
                "/proc/600/mountinfo",
                "50 1 0:70 / / rw - overlay overlay rw\n51 50 0:71 / /var/lib/postgresql/data rw - nfs4 nas:/pg rw\n")
        },
        CheckTests.Case(
            name: "the agent in a container", check: "agent",
            reason: "qemu-ga runs in a container that neither docker nor podman names (0123456789ab)",
            repair: "apt-get install qemu-guest-agent"
        ) {
            $0.remove("/usr/lib/systemd/system/qemu-guest-agent.service")
            try $0.process(400, "qemu-ga", ["qemu-ga"], container: digits)
        },
        CheckTests.Case(
            name: "a database in a pod", check: "recipes", severity: .warning,
            reason: "PostgreSQL runs in a pod of Kubernetes (container 0123456789ab) and is not held",
            repair:
                "no recipe reaches a pod: hold it by a hook of your own, which runs its commands there by crictl exec"
        ) {
            try $0.process(600, "postgres", ["postgres"], container: digits)
            let pod = "/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-pod1.slice"
            try $0.controlGroup("\(pod)/cri-containerd-\(digits).scope", of: 600)
        },
        CheckTests.Case(
            name: "a database in LXC", check: "recipes", severity: .warning,
            reason: "PostgreSQL runs in the system container web01 of LXC and is not held", repair: "lxc-attach"
        ) {
            try $0.process(600, "postgres", ["postgres"], container: digits)
            try $0.controlGroup("/lxc.payload.web01/system.slice/postgresql.service", of: 600)
        },
        CheckTests.Case(
            name: "a database in a system container of systemd", check: "recipes", severity: .warning,
            reason: "PostgreSQL runs in the system container web-01 of systemd-nspawn", repair: "systemd-run --machine"
        ) {
            try $0.process(600, "postgres", ["postgres"], container: digits)
            try $0.controlGroup("/machine.slice/machine-web\\x2d01.scope/payload", of: 600)
        },
    ]

    @Test(arguments: cases)
    func `What is wrong is found, with its reason and what mends it`(wrong: CheckTests.Case) throws {
        _ = try CheckTests.fixtureWithFinding(wrong)
    }

    @Test func `A sandbox that takes nothing away, a port by its device, and a database's own read-only view are none`()
        throws
    {
        let fixture = try SystemFixture(.debian12)
        try fixture.addMariaDB()
        try fixture.file(
            Self.dropIn,
            "[Service]\nProtectSystem=strict\nReadWritePaths=/run /var/lib /var/log\nPrivateTmp=0\nProtectHome=off\nUser=root\n"
        )
        try fixture.process(
            400, "qemu-ga", ["qemu-ga", "-F/usr/sbin/fsfreeze-hook", "--path=/dev/vport1p1"])
        // qemu-ga's view is read-only but for what it was given; the database writes all the same.
        try fixture.file(
            "/proc/400/mountinfo",
            """
            22 1 254:1 / / ro - ext4 /dev/vda1 rw
            26 22 254:1 /var/log /var/log rw - ext4 /dev/vda1 rw
            27 22 254:1 /var/lib /var/lib rw - ext4 /dev/vda1 rw
            25 22 0:23 / /run rw - tmpfs tmpfs rw

            """)
        let findings = try fixture.findings()
        #expect(findings == [], "\(findings)")
    }

    @Test func `A read-only view of qemu-ga's is not taken for the database's`() throws {
        let fixture = try SystemFixture(.debian12)
        try fixture.addMariaDB()
        try fixture.file(
            "/proc/400/mountinfo",
            "22 1 254:1 / / ro - ext4 /dev/vda1 rw\n25 22 0:23 / /run rw - tmpfs tmpfs rw\n")
        #expect(try fixture.findings("data") == [])
        #expect(try fixture.findings("log") == [])
        #expect(try fixture.findings("sandbox").count == 1)
    }

    @Test(arguments: [#"{"data-root": "/data/docker"}"#, #"{"graph": "/data/docker"}"#, "command line"])
    func `Docker's containers have their names with another data directory`(settings: String) throws {
        let fixture = try SystemFixture(.debian12)
        try fixture.process(600, "postgres", ["postgres"], container: Self.digits)
        if settings == "command line" {
            try fixture.process(700, "dockerd", ["/usr/bin/dockerd", "--data-root", "/data/docker"])
        } else {
            try fixture.file("/etc/docker/daemon.json", settings)
        }
        try fixture.file("/data/docker/containers/\(Self.digits)/config.v2.json", #"{"Name":"/shop-db-1"}"#)
        let postgresql = try #require(try fixture.machine().applications.first { $0.recipe.name == "postgresql" })
        #expect(postgresql.containers == [.named("shop-db-1")])
    }

    @Test func `Podman's containers have their names with another data directory`() throws {
        let fixture = try SystemFixture(.debian12)
        try fixture.process(600, "postgres", ["postgres"], container: Self.digits)
        try fixture.file(
            "/etc/containers/storage.conf", "[storage]\ndriver = \"overlay\"\ngraphroot = \"/data/podman\"\n")
        try fixture.file(
            "/data/podman/overlay-containers/containers.json", #"[{"id":"\#(Self.digits)","names":["shop"]}]"#)
        let postgresql = try #require(try fixture.machine().applications.first { $0.recipe.name == "postgresql" })
        #expect(postgresql.containers == [.named("shop")])
    }

    @Test func `A pod is no container that a recipe can name`() throws {
        let fixture = try SystemFixture(.debian12)
        try fixture.process(600, "postgres", ["postgres"], container: Self.digits)
        try fixture.controlGroup("/kubepods/besteffort/pod1/\(Self.digits)", of: 600)
        let report = try Setup(fixture.machine()).plan()
        #expect(report.changes.map(\.path) == [])
        #expect(
            report.attention.contains {
                $0.hasPrefix("postgresql runs in a pod of Kubernetes") && $0.contains("crictl exec")
            }, "\(report.attention)")
        #expect(report.applications.map(\.containers) == [["a pod of Kubernetes (container 0123456789ab)"]])
    }

    @Test(arguments: [
        ("0::/system.slice/docker-ID.scope", Container.Kind.engine, String?.none), ("0::/docker/ID", .engine, nil),
        ("0::/machine.slice/libpod-ID.scope/container", .engine, nil), ("0::/default/ID", .engine, nil),
        ("12:cpu:/kubepods/burstable/pod-1/ID\n0::/", .pod, nil),
        ("0::/kubepods.slice/kubepods-pod1.slice/crio-ID.scope", .pod, nil),
        ("0::/lxc.payload.web01/docker/ID", .lxc, "web01"), ("0::/lxc/web01/x", .lxc, "web01"),
        ("0::/machine.slice/systemd-nspawn@web\\x2d1.service/payload", .nspawn, "web-1"), ("0::/", .engine, nil),
    ])
    func `A control group tells the kind of a container`(groups: String, kind: Container.Kind, name: String?) {
        let text = groups.split(separator: "ID", omittingEmptySubsequences: false).joined(separator: Self.digits)
        let container = Container(controlGroups: text + "\n")
        #expect(container.kind == kind)
        #expect(container.name == name)
        #expect(container.id == (groups.contains("ID") && name == nil ? Self.digits : nil))
    }
}
