// SPDX-License-Identifier: Apache-2.0

import SystemPackage
import TestSupport
import Testing

@testable import FreezeHook
@testable import FreezeHookAdmin
@testable import FreezeHookBase

/// What `check` says of SELinux: it asks the policy for the domains of qemu-ga and of the program, not for its own.
@Suite struct SELinuxCheckTests {
    private static let module = "/usr/share/selinux/packages/fsfreeze-hook.cil"
    private static let repair =
        "semodule -X 200 -i \(module) && restorecon -RFv /usr/sbin/fsfreeze-hook "
        + "/run/fsfreeze-hook /var/lib/fsfreeze-hook"

    /// RHEL 9 with MariaDB, a link as its hook and another hook; qemu-ga in its own domain, which may little.
    private func system(isEnforcing: Bool = true) throws -> (SystemFixture, SELinuxFixture) {
        let fixture = try SystemFixture(.rhel9)
        try fixture.addMariaDB()
        try fixture.file("/etc/qemu-ga/fsfreeze-hook.d/20-shop", "#!/bin/sh\n", mode: 0o755)
        try fixture.file(Self.module, "")
        try fixture.file("/sys/fs/selinux/booleans/virt_qemu_ga_run_unconfined", "0 0")
        try fixture.makeDirectory("/run/fsfreeze-hook")
        try fixture.makeDirectory("/srv/db")
        let policy = try SELinuxFixture(fixture, isEnforcing: isEnforcing)
        try policy.domain("virt_qemu_ga_t", of: SystemFixture.agent)
        try policy.domain("mysqld_t", of: 500)
        policy.allow("virt_qemu_ga_t", "root_t", "dir", "open", "read", "ioctl")
        return (fixture, policy)
    }

    /// The labels and rules without the package's module: all stays in the agent's domain.
    private func withoutModule(_ policy: SELinuxFixture) throws {
        try policy.label([
            "/": "root_t", "/srv/db": "mnt_t", "/usr/sbin/fsfreeze-hook": "virt_qemu_ga_unconfined_exec_t",
            "/etc/qemu-ga/fsfreeze-hook.d/50-mariadb": "virt_qemu_ga_unconfined_exec_t",
            "/etc/qemu-ga/fsfreeze-hook.d/20-shop": "virt_qemu_ga_unconfined_exec_t",
            "/usr/libexec/fsfreeze-hook/recipes/mariadb": "bin_t", "/run/fsfreeze-hook": "virt_qemu_ga_var_run_t",
            "/var/lib/fsfreeze-hook": "var_lib_t",
        ])
        policy.allow("virt_qemu_ga_t", "virt_qemu_ga_unconfined_exec_t", "file", "execute", "execute_no_trans")
        policy.allow("virt_qemu_ga_t", "bin_t", "file", "execute", "execute_no_trans")
        policy.allow("virt_qemu_ga_t", "virt_qemu_ga_var_run_t", "dir", "write", "add_name")
    }

    /// The labels and rules of the package's module.
    private func withModule(_ policy: SELinuxFixture) throws {
        try withoutModule(policy)
        try policy.label([
            "/usr/sbin/fsfreeze-hook": "fsfreeze_hook_exec_t", "/run/fsfreeze-hook": "fsfreeze_hook_var_run_t",
            "/var/lib/fsfreeze-hook": "fsfreeze_hook_var_lib_t",
        ])
        for caller in ["virt_qemu_ga_t", "init_t"] {
            policy.transition(caller, "fsfreeze_hook_exec_t", "process", to: "fsfreeze_hook_t")
            policy.allow(caller, "fsfreeze_hook_exec_t", "file", "execute")
            policy.allow(caller, "fsfreeze_hook_t", "process", "transition")
        }
        let own = "fsfreeze_hook_t"
        policy.allow(own, "fsfreeze_hook_exec_t", "file", "entrypoint", "execute", "execute_no_trans")
        policy.allow(own, "virt_qemu_ga_unconfined_exec_t", "file", "execute", "execute_no_trans")
        policy.allow(own, "virt_qemu_ga_unconfined_exec_t", "lnk_file", "read")
        policy.allow(own, "bin_t", "file", "execute", "execute_no_trans")
        policy.allow(own, "fsfreeze_hook_var_run_t", "dir", "write", "add_name")
        policy.allow(own, "fsfreeze_hook_var_run_t", "sock_file", "create")
        policy.allow(own, "fsfreeze_hook_var_lib_t", "dir", "write", "add_name")
        policy.allow(own, "fsfreeze_hook_var_lib_t", "file", "create", "write")
        policy.allow(own, "init_t", "dir", "search")
        policy.allow(own, "init_t", "system", "start")
        policy.allow(own, "mysqld_t", "dir", "search")
        policy.allow(own, "mysqld_t", "file", "read")
        policy.allow(own, "mysqld_t", "unix_stream_socket", "connectto")
    }

    private func findings(_ fixture: SystemFixture, _ policy: SELinuxFixture) throws -> [Finding] {
        SELinuxCheck.findings(on: try fixture.machine(policy: policy))
    }

    @Test func `All that the agent's domain is denied is told, with the module that mends it`() throws {
        let (fixture, policy) = try system()
        try withoutModule(policy)
        let findings = try findings(fixture, policy)
        #expect(findings.map(\.severity) == [.error, .error])
        #expect(findings.map(\.repair) == [Self.repair, Self.repair])
        #expect(
            findings.first?.reason
                == "in virt_qemu_ga_t, where /usr/sbin/fsfreeze-hook runs when qemu-ga (virt_qemu_ga_t) calls it, SELinux denies: "
                + "links as hooks (50-mariadb); a socket in /run/fsfreeze-hook (the guard, and sessions); writing in "
                + "/var/lib/fsfreeze-hook (history, image marker); a scope for the guard; /proc of other processes (which servers "
                + "run); /proc of mariadb (mysqld_t); a connection to mariadb (mysqld_t)")
        #expect(
            findings.last?.reason
                == "SELinux does not let systemd (init_t) execute /usr/sbin/fsfreeze-hook (virt_qemu_ga_unconfined_exec_t): what "
                + "a killed agent has left frozen is not thawed when it starts again")
    }

    @Test func `Without the module's file the boolean is proposed`() throws {
        let (fixture, policy) = try system()
        try withoutModule(policy)
        fixture.remove(Self.module)
        #expect(
            try findings(fixture, policy).first?.repair?.hasSuffix(" && setsebool -P virt_qemu_ga_run_unconfined on")
                == true)
    }

    @Test func `With the module all is well, and a hook that is no recipe stays confined`() throws {
        let (fixture, policy) = try system()
        try withModule(policy)
        let findings = try findings(fixture, policy)
        #expect(findings.map(\.severity) == [.note])
        #expect(findings.first?.subject == "20-shop")
        #expect(findings.first?.repair?.contains("setsebool -P virt_qemu_ga_run_unconfined on") == true)
        policy.transition(
            "fsfreeze_hook_t", "virt_qemu_ga_unconfined_exec_t", "process", to: "virt_qemu_ga_unconfined_t")
        policy.allow("fsfreeze_hook_t", "virt_qemu_ga_unconfined_t", "process", "transition")
        policy.allow("virt_qemu_ga_unconfined_t", "virt_qemu_ga_unconfined_exec_t", "file", "entrypoint")
        #expect(try self.findings(fixture, policy) == [])
    }

    @Test func `A label that the agent may not execute`() throws {
        let (fixture, policy) = try system()
        try withModule(policy)
        try policy.label(["/usr/sbin/fsfreeze-hook": "unlabeled_t"])
        let findings = try findings(fixture, policy)
        #expect(
            findings.map(\.reason) == [
                "SELinux does not let qemu-ga (virt_qemu_ga_t) execute /usr/sbin/fsfreeze-hook (unlabeled_t): no hook runs"
            ])
    }

    @Test func `Directories with labels that the program cannot write`() throws {
        let (fixture, policy) = try system()
        try withModule(policy)
        try policy.label(["/run/fsfreeze-hook": "var_run_t"])
        #expect(try findings(fixture, policy).first?.reason.contains("denies: a socket in /run/fsfreeze-hook") == true)
        // One that is not there yet gets the label of a transition.
        fixture.remove("/run/fsfreeze-hook")
        try policy.label(["/run": "var_run_t"])
        policy.transition("fsfreeze_hook_t", "var_run_t", "dir", to: "fsfreeze_hook_var_run_t")
        #expect(try findings(fixture, policy).map(\.severity) == [.note])
    }

    @Test(arguments: ["mysqld_db_t", "unlabeled_t"])
    func `A filesystem whose root the agent may not open`(type: String) throws {
        let (fixture, policy) = try system()
        try withModule(policy)
        try fixture.mounts(
            "30 22 254:16 / /srv/db rw - ext4 /dev/vdb rw\n31 22 0:40 / /srv/net rw - nfs server:/x rw")
        try fixture.makeDirectory("/srv/net")
        try policy.label(["/srv/db": type, "/srv/net": "nfs_t"])
        let finding = try #require(try findings(fixture, policy).first)
        #expect(finding.severity == .error)
        #expect(
            finding.reason
                == "every freeze will fail at /srv/db: SELinux does not let qemu-ga (virt_qemu_ga_t) open the root of "
                + "that filesystem (\(type))")
        #expect(
            finding.repair?.hasSuffix("semanage fcontext -a -t mnt_t /srv/db && restorecon -v /srv/db") == true)
        policy.allow("virt_qemu_ga_t", type, "dir", "open", "read", "ioctl")
        #expect(try findings(fixture, policy).map(\.severity) == [.note])
    }

    @Test func `Permissive, all of it is a note`() throws {
        let (fixture, policy) = try system(isEnforcing: false)
        try withoutModule(policy)
        let findings = try findings(fixture, policy)
        #expect(findings.map(\.severity) == [.note, .note])
        #expect(findings.allSatisfy { $0.reason.hasSuffix(" (once SELinux is enforcing)") })
    }

    @Test func `Who may not ask the policy is told in which domain it looks`() throws {
        let (fixture, policy) = try system()
        try withoutModule(policy)
        try fixture.file("/proc/self/attr/current", "system_u:system_r:virt_qemu_ga_t:s0\n")
        // A fixture has no kernel, and no answer; a confined domain sees nothing of selinuxfs, nor another process' context.
        for path in ["/sys/fs/selinux", "/proc/\(SystemFixture.agent)/attr", "/proc/1/attr"] {
            let findings = SELinuxCheck.findings(on: try fixture.machine())
            #expect(findings.map(\.subject) == ["virt_qemu_ga_t"])
            #expect(findings.first?.repair == "fsfreeze-hook check, in a shell of root")
            fixture.remove(path)
        }
        #expect(SELinuxCheck.findings(on: try fixture.machine()).map(\.subject) == ["virt_qemu_ga_t"])
    }

    @Test(arguments: [nil, "unconfined\n", "/usr/sbin/qemu-ga (enforce)\n"])
    func `Without SELinux nothing is said`(profile: String?) throws {
        let fixture = try SystemFixture(.rhel9)
        if let profile { try fixture.file("/proc/self/attr/current", profile) }
        #expect(SELinuxCheck.findings(on: try fixture.machine()) == [])
        #expect(SELinuxPolicy(in: SystemTree(root: FilePath(fixture.root)))?.caller == nil)
    }

    @Test func `Before its first start the agent's domain is that of its file`() throws {
        let (fixture, policy) = try system()
        try withoutModule(policy)
        fixture.remove("/proc/\(SystemFixture.agent)")
        try fixture.file("/usr/bin/qemu-ga", "", mode: 0o755)
        try policy.label(["/usr/bin/qemu-ga": "virt_qemu_ga_exec_t"])
        policy.transition("init_t", "virt_qemu_ga_exec_t", "process", to: "virt_qemu_ga_t")
        #expect(try findings(fixture, policy).map(\.subject) == ["virt_qemu_ga_t", "virt_qemu_ga_t"])
    }

    @Test func `A rehearsal in another domain than the agent's says so`() throws {
        let (fixture, policy) = try system()
        try withModule(policy)
        #expect(
            RehearsalDomain.difference(try fixture.machine(policy: policy).agentDomain)
                == "this rehearsal ran in the SELinux domain unconfined_t, a freeze by qemu-ga runs in fsfreeze_hook_t, where other "
                + "things may be denied: see fsfreeze-hook check")
        try fixture.file("/proc/self/attr/current", "system_u:system_r:fsfreeze_hook_t:s0\n")
        #expect(RehearsalDomain.difference(try fixture.machine(policy: policy).agentDomain) == nil)
        #expect(RehearsalDomain.difference(nil) == nil)
    }
}
