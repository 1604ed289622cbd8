// SPDX-License-Identifier: Apache-2.0

import Glibc
import TestSupport
import Testing

/// Calls by someone with fewer rights than the program, for which the kernel sets AT_SECURE.
///
/// Bits of the file stand for SELinux, which sets it when the agent's domain is left: a setuid program called by another
/// user, or a setgid one called by root.
@Suite struct SecureExecutionTests {
    private static let program = "/run/secure/fsfreeze-hook"
    // The namespace has hooks of root where the program looks for them by itself. A guard would be refused here as any
    // other call: the bits make each process of the program a secure one, SELinux only the first.
    private static let setUp = """
        mount -t tmpfs -o mode=755 tmpfs /run; mount -t tmpfs -o mode=755 tmpfs /var/lib
        mount -t tmpfs -o mode=755 tmpfs /var/log; mount -t tmpfs -o mode=755 tmpfs /etc
        mkdir -p /run/secure /etc/qemu/fsfreeze-hook.d
        printf '%s\\n' root:x:0:0::/root:/bin/sh nobody:x:65534:65534::/:/bin/sh >/etc/passwd
        cp "$TESTED" /run/secure/fsfreeze-hook
        printf '[general]\\njournal = no\\nhold-limit = 0\\n' >/etc/qemu/fsfreeze-hook.conf
        printf '#!/bin/sh\\nenv >/run/environment-$1\\n' >/etc/qemu/fsfreeze-hook.d/10-environment
        chmod 0755 /etc/qemu/fsfreeze-hook.d/10-environment
        """
    private static let setgid = "chgrp 1 /run/secure/fsfreeze-hook; chmod 2755 /run/secure/fsfreeze-hook"
    private static let setuid = "chmod 4755 /run/secure/fsfreeze-hook"
    private static let asNobody = "setpriv --reuid 65534 --regid 65534 --clear-groups"

    /// Runs a script in a namespace with the program of these bits, and a hook directory of the caller's in `$TEST_SANDBOX`.
    private func run(_ sandbox: Sandbox, _ bits: String, _ script: String) throws -> ProcessResult {
        let setUp = Self.setUp + "\n" + bits
        let command = try PrivateMounts.prefix(setUp) + ["/bin/sh", "-c", script]
        return try sandbox.runCommand(command, environment: ["TESTED": sandbox.program])
    }

    private func sandbox() throws -> Sandbox {
        let sandbox = try Sandbox()
        try sandbox.addHook("10-evil", ": >\(sandbox.path)/evil")
        chmod(sandbox.path, 0o755)
        return sandbox
    }

    static let refused = [
        "rehearse --hook-dir $TEST_SANDBOX/fsfreeze-hook.d", "freeze --hook-dir $TEST_SANDBOX/fsfreeze-hook.d",
        "recover --run-dir $TEST_SANDBOX/run", "thaw --config $TEST_SANDBOX/fsfreeze-hook.conf",
        "status --run-dir $TEST_SANDBOX/run", "status --json", "rehearse", "check", "list", "setup --apply",
        "hold evil --ready x -- sh -c '>$TEST_SANDBOX/evil'", "release evil", "holder $TEST_SANDBOX/run",
        "guard 1 $TEST_SANDBOX/fsfreeze-hook.d $TEST_SANDBOX/fsfreeze-hook.conf '' $TEST_SANDBOX/run $TEST_SANDBOX /x",
        "drain-output x $TEST_SANDBOX/run", "--help", "", "freeze thaw", "Freeze",
    ]

    @Test(arguments: refused)
    func `No option and no other word of the caller's is taken`(arguments: String) throws {
        let sandbox = try sandbox()
        let call = "\(Self.asNobody) \(Self.program) \(arguments) </dev/null"
        let result = try run(sandbox, Self.setuid, call)
        #expect(result.status == 64)
        #expect(result.stdout == "")
        #expect(result.stderr.hasPrefix("fsfreeze-hook: the caller has fewer rights than the program: "))
        #expect(!Files.exists("\(sandbox.path)/evil"))
        #expect(!Files.exists("\(sandbox.path)/run"))
    }

    @Test func `Without the mode the same call is taken`() throws {
        let sandbox = try sandbox()
        let result = try run(
            sandbox, "true", "\(Self.program) rehearse --hold 10ms --hook-dir $TEST_SANDBOX/fsfreeze-hook.d")
        #expect(result.stderr == "")
        #expect(Files.exists("\(sandbox.path)/evil"))
    }

    @Test func `The caller cannot choose the hooks by the name that it calls the program by`() throws {
        let sandbox = try sandbox()
        let script = """
            ln -s \(Self.program) $TEST_SANDBOX/fsfreeze-hook
            \(Self.asNobody) $TEST_SANDBOX/fsfreeze-hook freeze
            echo $?
            ls /run
            """
        let result = try run(sandbox, Self.setuid, script)
        #expect(result.stderr == "")
        #expect(result.stdout.hasPrefix("0\n"))
        #expect(!Files.exists("\(sandbox.path)/evil"))
    }

    @Test func `Hooks of the program's own directory get a clean environment`() throws {
        let sandbox = try sandbox()
        let script = """
            export BASH_ENV=/x ENV=/x PERL5LIB=/x LD_PRELOAD=/x LANG=xx FSFREEZE_RUN_DIR=/x PATH=$TEST_SANDBOX:$PATH HOME=/x
            \(Self.program) freeze && \(Self.program) status >/dev/null; echo $?
            \(Self.program) recover; echo $?
            \(Self.program) thaw; echo $?
            for action in freeze thaw; do sed 's/=.*//' /run/environment-$action | sort | tr '\\n' ' '; echo; done
            grep -E '^(PATH|HOME|FSFREEZE_RUN_DIR)=' /run/environment-freeze | sort
            """
        let result = try run(sandbox, Self.setgid, script)
        // dash adds PWD.
        let names =
            "FSFREEZE_ACTION FSFREEZE_CYCLE FSFREEZE_HOOK FSFREEZE_REASON FSFREEZE_RUN_DIR FSFREEZE_TIMEOUT HOME PATH PWD \n"
        #expect(
            result.stdout == "0\n0\n0\n" + names + names
                + "FSFREEZE_RUN_DIR=/run/fsfreeze-hook\nHOME=/root\n"
                + "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\n")
    }

    @Test(arguments: [("0", "644"), ("0027", "640"), ("0077", "600")])
    func `No umask of the caller's lets others write what a hook writes`(umask: String, mode: String) throws {
        let script = "umask \(umask); \(Self.program) freeze; stat -c %a /run/environment-freeze"
        #expect(try run(try sandbox(), Self.setgid, script).stdout == "\(mode)\n")
    }
}
