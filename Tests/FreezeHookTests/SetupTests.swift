// SPDX-License-Identifier: Apache-2.0

import Foundation
import Glibc
import SystemPackage
import TestSupport
import Testing

@testable import FreezeHook
@testable import FreezeHookAdmin
@testable import FreezeHookBase
@testable import FreezeHookRecipes

/// `setup` on the files of machines of each family.
@Suite struct SetupTests {
    private func plan(_ fixture: SystemFixture) throws -> SetupReport { try Setup(fixture.machine()).plan() }

    @discardableResult
    private func apply(_ fixture: SystemFixture) throws -> SetupReport {
        var setup = try Setup(fixture.machine())
        return try setup.apply()
    }

    @discardableResult
    private func undo(_ fixture: SystemFixture) throws -> SetupReport {
        var setup = try Setup(fixture.machine())
        return try setup.undo()
    }

    @Test func `Hooks where nobody looks, and scripts of other products, are told`() throws {
        let fixture = try SystemFixture(.debian12)
        try fixture.file("/etc/qemu-ga/fsfreeze.d/20-shop", "#!/bin/sh\n", mode: 0o755)
        try fixture.file("/etc/google/snapshots/pre.sh", "#!/bin/sh\n", mode: 0o755)
        let attention = try plan(fixture).attention
        let scripts = """
            /etc/google/snapshots/pre.sh: a script of another product, which nothing calls while an image is taken; to \
            have that done: write freeze = /etc/google/snapshots/pre.sh into \
            /etc/qemu/fsfreeze-recipes.d/scripts.conf, then: fsfreeze-hook enable scripts; where they are not wanted, \
            leave that file empty
            """
        let hooks = """
            20-shop in /etc/qemu-ga/fsfreeze.d will not run: hooks are looked for in /etc/qemu/fsfreeze-hook.d; to run \
            them: mv /etc/qemu-ga/fsfreeze.d/* /etc/qemu/fsfreeze-hook.d/
            """
        #expect(attention == [scripts, hooks])
        try fixture.file("/etc/qemu/fsfreeze-recipes.d/scripts.conf", "")
        #expect(try plan(fixture).attention.count == 1)
    }

    @Test(arguments: SystemFamily.allCases)
    func `It is shown, made, made only once, and taken back`(family: SystemFamily) throws {
        let fixture = try SystemFixture(family, isWired: false)
        try fixture.addMariaDB(isEnabled: false)
        let before = try fixture.contents()
        let plan = try plan(fixture)
        #expect(plan.attention == [])
        #expect(!plan.changed && !plan.isGood)
        #expect(try fixture.contents() == before)

        let made = try apply(fixture)
        #expect(made.changed && made.isGood)
        #expect(made.changes.map(\.path) == plan.changes.map(\.path))
        let after = try fixture.contents()
        #expect(
            after["\(family.hookDirectory)/50-mariadb"]?.hasSuffix(" /usr/libexec/fsfreeze-hook/recipes/mariadb")
                == true)
        let restart = family == .alpine ? "rc-service qemu-guest-agent restart" : "systemctl restart"
        #expect(made.restart?.contains(restart) == true, "\(made.restart ?? "")")

        let again = try apply(fixture)
        #expect(!again.changed && again.isGood && again.changes.isEmpty)
        #expect(try fixture.contents() == after)

        // After a restart check finds nothing.
        try fixture.process(
            SystemFixture.agent, "qemu-ga", fixture.agentArguments.filter { family == .rhel9 || !$0.hasPrefix("-F") })
        #expect(try fixture.findings() == [])

        let undone = try undo(fixture)
        #expect(undone.changed && undone.isGood)
        #expect(try fixture.contents() == before)
        #expect(try undo(fixture).changes.isEmpty)
        #expect(!Files.exists("\(fixture.root)/var/lib/fsfreeze-hook/setup.json"))
    }

    @Test(arguments: SystemFamily.allCases)
    func `Where the package has done it, qemu-ga is left alone`(family: SystemFamily) throws {
        let fixture = try SystemFixture(family)
        try fixture.addMariaDB()
        let plan = try plan(fixture)
        #expect(plan.changes.isEmpty && plan.isGood && plan.restart == nil)
        #expect(plan.applications.map(\.recipe) == ["mariadb"])
    }

    @Test func `The way of each distribution`() throws {
        func changed(_ family: SystemFamily) throws -> [String] {
            let fixture = try SystemFixture(family, isWired: false)
            try fixture.makeDirectory("/etc/systemd/system")
            return try plan(fixture).changes.map(\.path)
        }
        let recover = "60-fsfreeze-hook-recover.conf"
        let unit = "/etc/systemd/system/qemu-guest-agent.service.d"
        for family in [SystemFamily.debian12, .ubuntu2004] {
            #expect(
                try changed(family).filter { !$0.hasSuffix(".d") } == ["/etc/qemu/qemu-ga.conf", "\(unit)/\(recover)"])
        }
        #expect(try changed(.rhel9).filter { !$0.hasSuffix(".d") } == ["/etc/sysconfig/qemu-ga", "\(unit)/\(recover)"])
        #expect(try changed(.openSUSE).contains("/etc/systemd/system/qemu-ga@.service.d/\(recover)"))
        #expect(try changed(.alpine) == ["/etc/qemu/qemu-ga.conf"])
    }

    @Test(arguments: [
        ("postgresql", "/usr/lib/postgresql/15/bin/postgres"), ("influxdb", "/opt/influxdb/bin/influxd"),
        ("mariadb", "/usr/libexec/mysqld"),
    ])
    func `An application is found where its recipe says that its programs are`(recipe: String, program: String) throws {
        let fixture = try SystemFixture(.debian12)
        #expect(try plan(fixture).applications.map(\.recipe) == [])
        try fixture.file(program, "program", mode: 0o755)
        #expect(try plan(fixture).applications.filter(\.installed).map(\.recipe) == [recipe])
    }

    @Test func `Its drop-in says what that of the packages says`() throws {
        let fixture = try SystemFixture(.debian12, isWired: false)
        let change = try #require(
            try Setup(fixture.machine()).plan().changes.first { $0.path.hasSuffix("60-fsfreeze-hook-recover.conf") })
        func settings(_ text: String) -> [String] {
            KeyValueText(text.utf8, .unit).settings(ofSection: "Service").map { "\($0.key)=\($0.value)" }
        }
        let own = change.diff.compactMap { if case .added(let line) = $0 { line } else { nil } }
        let packaged = try settings(Checkout.text(of: "systemd/60-fsfreeze-hook-recover.conf"))
        #expect(packaged.count == 2)
        #expect(settings(own.joined(separator: "\n")) == packaged)
    }

    @Test func `Only one line of RHEL's settings is changed, and its mode stays`() throws {
        let fixture = try SystemFixture(.rhel9, isWired: false)
        let before = fixture.text(of: "/etc/sysconfig/qemu-ga")
        chmod("\(fixture.root)/etc/sysconfig/qemu-ga", 0o640)
        let change = try #require(try apply(fixture).changes.first)
        #expect(change.diff.map(\.text).contains("-FSFREEZE_HOOK_PATHNAME=/etc/qemu-ga/fsfreeze-hook"))
        #expect(change.diff.map(\.text).contains("+FSFREEZE_HOOK_PATHNAME=/usr/sbin/fsfreeze-hook"))
        let after = fixture.text(of: "/etc/sysconfig/qemu-ga")
        #expect(
            after == before.replacingOccurrences(of: "=/etc/qemu-ga/fsfreeze-hook", with: "=/usr/sbin/fsfreeze-hook"))
        #expect(Files.mode(of: "\(fixture.root)/etc/sysconfig/qemu-ga").map { $0 & 0o777 } == 0o640)
    }

    @Test func `A configuration file that is there keeps what it says`() throws {
        let fixture = try SystemFixture(.alpine, isWired: false)
        try fixture.file("/etc/qemu/qemu-ga.conf", "# ours\n[general]\n  verbose = true\n[other]\nx=1\n")
        #expect(try apply(fixture).isGood)
        #expect(
            fixture.text(of: "/etc/qemu/qemu-ga.conf")
                == "# ours\n[general]\nfsfreeze-hook=/usr/sbin/fsfreeze-hook\n  verbose = true\n[other]\nx=1\n")
        try undo(fixture)
        #expect(fixture.text(of: "/etc/qemu/qemu-ga.conf") == "# ours\n[general]\n  verbose = true\n[other]\nx=1\n")
    }

    @Test func `A configuration file from Windows is read as it is meant`() throws {
        let fixture = try SystemFixture(.alpine, isWired: false)
        try fixture.file("/etc/qemu/qemu-ga.conf", "[general]\r\nverbose=true\r\n")
        try apply(fixture)
        let text = fixture.text(of: "/etc/qemu/qemu-ga.conf")
        #expect(text == "[general]\r\nfsfreeze-hook=/usr/sbin/fsfreeze-hook\nverbose=true\r\n")
        #expect(try plan(fixture).changes.isEmpty)
    }

    @Test func `A configuration file that is a link stays one`() throws {
        let fixture = try SystemFixture(.alpine, isWired: false)
        try fixture.file("/etc/shared/qga.conf", "[general]\n")
        try fixture.link("/etc/qemu/qemu-ga.conf", to: "../shared/qga.conf")
        #expect(try apply(fixture).changes.map(\.path) == ["/etc/shared/qga.conf"])
        #expect(fixture.text(of: "/etc/qemu/qemu-ga.conf") == "[general]\nfsfreeze-hook=/usr/sbin/fsfreeze-hook\n")
    }

    @Test func `What an administrator has decided stays`() throws {
        let other = try SystemFixture(.alpine, isWired: false)
        try other.file("/etc/qemu/qemu-ga.conf", "[general]\nfsfreeze-hook = /opt/own\n")
        let plan = try plan(other)
        #expect(plan.changes.isEmpty && !plan.isGood)
        #expect(
            plan.attention.first?.hasPrefix("fsfreeze-hook in /etc/qemu/qemu-ga.conf names another hook, /opt/own")
                == true)

        let off = try SystemFixture(.rhel9, isWired: false)
        try off.file("/etc/sysconfig/qemu-ga", "FSFREEZE_HOOK_PATHNAME=/dev/null\n")
        #expect(try apply(off).attention.first?.contains("switches hooks off") == true)
        #expect(off.text(of: "/etc/sysconfig/qemu-ga") == "FSFREEZE_HOOK_PATHNAME=/dev/null\n")

        let argument = try SystemFixture(.debian12, isWired: false)
        try argument.file(
            "/etc/systemd/system/qemu-guest-agent.service.d/mine.conf",
            "[Service]\nExecStart=\nExecStart=/usr/sbin/qemu-ga -F/opt/own\n")
        #expect(
            try apply(argument).attention.first?.hasPrefix(
                "ExecStart in /etc/systemd/system/qemu-guest-agent.service.d/mine.conf names another hook, /opt/own")
                == true)

        let name = try SystemFixture(.debian12)
        try name.addMariaDB(isEnabled: false)
        try name.file("/etc/qemu/fsfreeze-hook.d/50-mariadb", "#!/bin/sh\n", mode: 0o755)
        #expect(
            try apply(name).attention == ["/etc/qemu/fsfreeze-hook.d/50-mariadb is not the recipe, and stays as it is"])
    }

    @Test func `What was disabled after a set-up is not enabled again`() throws {
        let fixture = try SystemFixture(.debian12)
        try fixture.addMariaDB(isEnabled: false)
        try apply(fixture)
        fixture.remove("/etc/qemu/fsfreeze-hook.d/50-mariadb")
        let again = try apply(fixture)
        #expect(again.changes.isEmpty)
        #expect(again.attention.first?.contains("mariadb was disabled after an earlier set-up and stays so") == true)
        #expect(try undo(fixture).isGood)
        #expect(try apply(fixture).changes.count == 1)
    }

    @Test func `What was edited since is not taken back`() throws {
        let fixture = try SystemFixture(.openSUSE, isWired: false)
        try fixture.addMariaDB(isEnabled: false)
        try apply(fixture)
        try fixture.file("/etc/qemu/qemu-ga.conf", "[general]\nfsfreeze-hook=/usr/sbin/fsfreeze-hook\nverbose=true\n")
        let undone = try undo(fixture)
        #expect(undone.attention == ["/etc/qemu/qemu-ga.conf was changed since and stays as it is"])
        #expect(!undone.isGood && undone.changed)
        #expect(try fixture.contents().keys.contains { $0.hasSuffix("50-mariadb") } == false)
        #expect(fixture.text(of: "/etc/qemu/qemu-ga.conf").contains("verbose"))
        // A file in the state of the set-up can be taken back.
        try fixture.file("/etc/qemu/qemu-ga.conf", "[general]\nfsfreeze-hook=/usr/sbin/fsfreeze-hook\n")
        #expect(try undo(fixture).isGood)
        #expect(!Files.exists("\(fixture.root)/etc/qemu/qemu-ga.conf"))
    }

    @Test func `A set-up that was killed half-way can be finished or taken back`() throws {
        for finishes in [true, false] {
            let fixture = try SystemFixture(.openSUSE, isWired: false)
            try fixture.addMariaDB(isEnabled: false)
            let before = try fixture.contents()
            let machine = try fixture.machine()
            var manifest = try SetupManifest(of: machine)
            let plan = SetupPlan(machine, manifest)
            // All changes are noted, and only the first is made.
            try manifest.add(plan.changes)
            try plan.changes[0].make(in: machine.tree)
            if finishes {
                let report = try apply(fixture)
                #expect(report.attention == [])
                #expect(try fixture.contents().keys.contains("/etc/qemu/qemu-ga.conf"))
            }
            #expect(try undo(fixture).isGood)
            #expect(try fixture.contents() == before)
        }
    }

    @Test func `A file that appears between plan and change is not overwritten`() throws {
        let fixture = try SystemFixture(.alpine, isWired: false)
        let machine = try fixture.machine()
        let change = try #require(SetupPlan(machine, try SetupManifest(of: machine)).changes.last)
        try fixture.file("/etc/qemu/qemu-ga.conf", "[general]\nmine=1\n")
        #expect(throws: SetupError.self) { try change.make(in: machine.tree) }
        #expect(fixture.text(of: "/etc/qemu/qemu-ga.conf") == "[general]\nmine=1\n")
    }

    @Test func `Databases in containers are named`() throws {
        let fixture = try SystemFixture(.debian12)
        let ids = (0..<2).map { String(repeating: "\($0)", count: 64) }
        for (index, id) in ids.enumerated() {
            try fixture.process(600 + index, "postgres", ["postgres"], container: id)
            try fixture.file("/var/lib/docker/containers/\(id)/config.v2.json", #"{"Name":"/db\#(index)"}"#)
        }
        let report = try apply(fixture)
        #expect(
            fixture.text(of: "/etc/qemu/fsfreeze-recipes.d/postgresql.conf")
                == "[db0]\ncontainer = db0\n\n[db1]\ncontainer = db1\n")
        #expect(
            Files.mode(of: "\(fixture.root)/etc/qemu/fsfreeze-recipes.d/postgresql.conf").map { $0 & 0o777 } == 0o600)
        #expect(Files.exists("\(fixture.root)/etc/qemu/fsfreeze-hook.d/52-postgresql"))
        #expect(report.applications.first?.containers == ["db0", "db1"])
        #expect(try fixture.findings("recipes") == [])
        // Beside an instance outside containers the administrator has to name all instances.
        try fixture.process(700, "postgres", ["postgres"])
        #expect(try undo(fixture).isGood)
        let attention = try apply(fixture).attention
        #expect(attention.count == 1)
        #expect(attention.first?.contains("also runs in a container (db0, db1)") == true)
        #expect(!Files.exists("\(fixture.root)/etc/qemu/fsfreeze-recipes.d"))
    }

    /// Processes that every user can start, and a container that he can make.
    @Test func `A user's process of a database's name enables nothing and is told`() throws {
        let fixture = try SystemFixture(.debian12)
        let id = String(repeating: "a", count: 64)
        try fixture.file("/etc/passwd", "bob:x:4711:4711::/:/bin/sh\n")
        try fixture.process(600, "postgres", ["postgres"], user: stranger)
        try fixture.process(601, "mariadbd", ["mariadbd"], container: id, user: stranger, groupOwner: stranger)
        let before = try fixture.contents()
        let report = try apply(fixture)
        #expect(report.isGood && report.changes.isEmpty && report.applications.isEmpty)
        #expect(try fixture.contents() == before)
        let told = report.lines(for: Terminal(columns: nil))
        for (pid, name) in [(600, "postgres"), (601, "mariadbd")] {
            let note = "note: a process \(pid) of user bob is called \(name) and is not taken for a server: "
            #expect(told.contains { $0.hasPrefix(note) }, "\(told)")
        }
        let json = try JSONText.encode(report)
        #expect(json.contains("\"not_servers\"") && json.contains("\"user\" : \"bob\""), "\(json)")
    }

    @Test func `Without qemu-ga the recipes are enabled all the same`() throws {
        let fixture = try SystemFixture(.rhel9)
        try fixture.addMariaDB(isEnabled: false)
        fixture.remove("/proc/\(SystemFixture.agent)")
        fixture.remove("/usr/lib/systemd/system/qemu-guest-agent.service")
        let report = try apply(fixture)
        #expect(report.changes.map(\.path) == ["/etc/qemu-ga/fsfreeze-hook.d/50-mariadb"])
        #expect(report.attention == ["qemu-ga is not installed: dnf install qemu-guest-agent, then call this again"])
        #expect(report.restart == nil)
    }

    @Test func `What cannot be noted is not changed`() throws {
        let fixture = try SystemFixture(.alpine, isWired: false)
        fixture.remove("/var/lib/fsfreeze-hook")
        try fixture.file("/var/lib/fsfreeze-hook", "in the way")
        let before = try fixture.contents()
        #expect(throws: SetupError.self) { try apply(fixture) }
        #expect(try fixture.contents() == before)
        fixture.remove("/var/lib/fsfreeze-hook")
        try fixture.file("/var/lib/fsfreeze-hook/setup.json", "torn")
        #expect(throws: SetupError.self) { try apply(fixture) }
        #expect(throws: SetupError.self) { try undo(fixture) }
    }

    @Test(arguments: [40, 80, 200])
    func `The report keeps to its columns where it is not a diff`(columns: Int) throws {
        let fixture = try SystemFixture(.debian12, isWired: false)
        try fixture.addMariaDB(isEnabled: false)
        try fixture.file("/etc/qemu/fsfreeze-hook.d/52-postgresql", "#!/bin/sh\n", mode: 0o755)
        try fixture.process(600, "postgres", ["postgres"])
        let report = try plan(fixture)
        let lines = report.lines(for: Terminal(columns: columns))
        for line in lines where !line.hasPrefix("+") && !line.hasPrefix("-") && !line.hasPrefix("then: ") {
            #expect(TextWidth.of(line) <= columns, "\(line)")
        }
        #expect(lines.contains { $0.hasPrefix("attention:") })
        #expect(lines.contains("+fsfreeze-hook=/usr/sbin/fsfreeze-hook"))
        #expect(lines.contains("+ /etc/qemu/fsfreeze-hook.d/50-mariadb -> /usr/libexec/fsfreeze-hook/recipes/mariadb"))
    }
}
