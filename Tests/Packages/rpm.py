# SPDX-License-Identifier: Apache-2.0
"""The promises of the RPM package. A Debian system that is laid out like RHEL stands for RHEL, which cannot be had
here: its unit, its file of variables, its paths, and the names of the SELinux tools."""

import os
import shutil

from container import AGENT_UNIT, PROJECT, Container, expect, run
from debian import DROPIN, HOOK, PROGRAM, expect_agent, expect_nothing_left, expect_parts, expect_same
from files import BUILT, copy_of_the_project, make_directory, raise_message_version, the_one

STOCK_HOOK = "/etc/qemu-ga/fsfreeze-hook"
# The unit of RHEL 8 and 9, except for the device.
UNIT = """[Unit]
Description=QEMU Guest Agent
IgnoreOnIsolate=True

[Service]
UMask=0077
EnvironmentFile=/etc/sysconfig/qemu-ga
ExecStart=/usr/bin/qemu-ga --method=unix-listen --path=/run/qga.sock -F${FSFREEZE_HOOK_PATHNAME}
Restart=always
RestartSec=0
"""
# A script in place of the SELinux tools: it says whether SELinux is on, and notes its calls.
SELINUX_TOOL = """#!/bin/sh
case ${0##*/} in
selinuxenabled) [ -e /run/selinux-is-on ] ;;
*) echo "${0##*/} $*" >>/run/selinux-calls ;;
esac
"""


def look_like_rhel(root):
    """Lays a Debian system out like RHEL."""
    shutil.rmtree(root / "etc/qemu")
    shares = [f"usr/share/{d}" for d in ("licenses", "selinux/packages", "zsh/site-functions")]
    for directory in ("etc/qemu-ga/fsfreeze-hook.d", "etc/sysconfig", *shares):
        (root / directory).mkdir(parents=True, exist_ok=True)
    (root / "usr/sbin/qemu-ga").rename(root / "usr/bin/qemu-ga")
    (root / STOCK_HOOK.lstrip("/")).write_text("#!/bin/sh\nexit 0\n")
    (root / STOCK_HOOK.lstrip("/")).chmod(0o755)
    (root / "etc/sysconfig/qemu-ga").write_text(f"FSFREEZE_HOOK_PATHNAME={STOCK_HOOK}\n")
    (root / AGENT_UNIT).write_text(UNIT)
    for tool in ("selinuxenabled", "semodule", "restorecon"):
        (root / "usr/sbin" / tool).write_text(SELINUX_TOOL)
        (root / "usr/sbin" / tool).chmod(0o755)


def rpmlint_has_nothing_to_say():
    """rpmlint reports neither errors nor warnings beyond those that are explained."""
    packages = sorted(map(str, (BUILT / "rpm").glob("*.rpm")))
    expect(len(packages) == 2, f"{BUILT}/rpm has {len(packages)} packages, not two: make rpm")
    said = run(["rpmlint", "-c", str(PROJECT / "packaging/rpm/rpmlint.toml"), *packages])
    lines = [l for l in said.splitlines() if ": E: " in l or ": W: " in l]
    expect(not lines, "\n".join(lines))


def rpm_has_the_right_dependencies():
    """The package needs glibc up to 2.28, libsystemd, the agent and a shell; nothing else."""
    package = the_one(BUILT / "rpm", "fsfreeze-hook-[0-9]*.rpm")
    needs = set(run(["rpm", "-qp", "--requires", str(package)]).splitlines())
    wanted = {"qemu-guest-agent", "libsystemd.so.0()(64bit)", "/bin/sh"}
    expect(wanted <= needs, f"it does not need what it has to: {needs}")
    libraries = ("libc.so.6", "libm.so.6", "libdl.so.2", "libpthread.so.0", "libutil.so.1", "librt.so.1", "ld-linux")
    wrong = [n for n in needs if not n.startswith(
        (*libraries, "libsystemd.so.0()", "rpmlib(", "rtld(", "config(", "/bin/sh", "qemu-guest-agent"))]
    expect(not wrong, f"it needs more than it should: {wrong}")
    for need in needs:
        if "(GLIBC_" in need:
            version = tuple(map(int, need.partition("(GLIBC_")[2].partition(")")[0].split(".")))
            expect(version <= (2, 28), f"it needs {need}, beyond glibc 2.28")


def rpm_in_a_system_like_rhel(system, package, newer):
    """From installation to removal; yields each step's name."""
    system.sh("systemctl start qemu-guest-agent")
    expect(f"-F{STOCK_HOOK}" in system.agent()[1], "the agent does not run with its own hook")
    expected = system.listing()
    package, newer = system.give(package), system.give(newer)

    # rpm's database here has no dependency: Debian's own packages are not in it.
    said = system.sh(f"rpm --force-debian --install --nodeps {package}").splitlines()
    expect(len(said) == 1 and "switched on" in said[0], f"the installation says: {said}")
    expect_agent(system, True, "after the installation")
    expect(system.sh("rpm --verify --nodeps fsfreeze-hook") == "", "rpm finds changed files")
    expect(not system.succeeds("ls /run/selinux-calls"), "a policy is loaded though SELinux is off")
    expect(system.succeeds(f"test -e {DROPIN}"), "the drop-in is missing")
    yield "installs"

    system.put("/etc/qemu-ga/fsfreeze-hook.d/10-session", HOOK, 0o755)
    expect(system.freeze() == 0 and system.status()["state"] == "frozen", "status does not say frozen")
    system.thaw()
    expect(system.status()["last"]["verdict"] == "application-consistent", f"the cycle is {system.status()['last']}")
    expect("application-consistent" in system.sh("journalctl -t fsfreeze-hook"), "the journal does not have the cycle")
    expect_nothing_left(system)
    yield "runs a cycle"

    agent = system.agent()[0]
    system.freeze()
    expect_parts(system)
    system.put("/run/selinux-is-on", "")
    said = system.sh(f"rpm --force-debian --upgrade --nodeps {newer}")
    expect(said == "", f"the upgrade says: {said}")
    expect(system.agent()[0] == agent, "the agent was restarted in the window")
    expect([h["alive"] for h in system.status()["holds"]] == [True], "the session was lost")
    calls = system.sh("cat /run/selinux-calls")
    # This system has no policy, and so none with the distribution's switch for hooks.
    modules = " ".join(f"-i /usr/share/selinux/packages/fsfreeze-hook{name}.cil" for name in ("", "-unconfined-hooks"))
    expect(f"semodule -X 200 {modules}\n" in calls, f"no policy is loaded: {calls}")
    as_wanted = f"restorecon -RF {PROGRAM}\n" in calls and "semodule -X 200 -r" not in calls
    expect(as_wanted, f"labels go otherwise: {calls}")
    said = system.sh("rpm --force-debian --erase fsfreeze-hook && echo removed", fail=False)
    expect("a backup is going on" in said and "removed\n" not in said[-9:], f"it is removed in the window: {said}")
    system.thaw()
    expect(system.status()["last"]["verdict"] == "application-consistent", f"the cycle is {system.status()['last']}")
    expect_nothing_left(system)
    yield "upgrades in the window, and stays in it"

    system.sh("ln -s /usr/libexec/fsfreeze-hook/recipes/mariadb /etc/qemu-ga/fsfreeze-hook.d/50-mariadb")
    said = system.sh("rpm --force-debian --erase fsfreeze-hook")
    expect(said == "", f"the removal says: {said}")
    expect(f"-F{STOCK_HOOK}" in system.agent()[1], f"the agent runs as {system.agent()[1]}")
    expect("semodule -X 200 -r fsfreeze-hook" in system.sh("cat /run/selinux-calls"), "the policy is not taken back")
    # The program's state and log stay, as with the distribution's own packages.
    system.sh("rm -r /etc/qemu-ga/fsfreeze-hook.d/10-session /var/log/qga-fsfreeze-hook.log /var/lib/fsfreeze-hook")
    expect_same(expected, system.listing(), "the removal leaves the system otherwise than it was")
    yield "removes"


def newer_version(scratch):
    """The same package as a later release, with a program whose messages have the next version."""
    project = copy_of_the_project(scratch / "later")
    built = make_directory(project / BUILT.name)
    for name in ("fsfreeze-hook", "fsfreeze-hook.debug", "fsfreeze-hook.dependencies"):
        shutil.copy2(BUILT / name, built)
    raise_message_version(built / "fsfreeze-hook")
    run([project / "scripts/make-rpm", str(scratch / "rpm")], env=dict(os.environ, RELEASE="2"))
    return the_one(scratch / "rpm", "fsfreeze-hook-[0-9]*.rpm")


def story(archive, scratch):
    """The package and a later one, in a system of its own."""
    package = the_one(BUILT / "rpm", "fsfreeze-hook-[0-9]*.rpm")
    newer = newer_version(scratch)
    with Container(archive, scratch / "like-rhel", look_like_rhel) as system:
        for step in rpm_in_a_system_like_rhel(system, package, newer):
            yield f"rpm in a system like RHEL: {step}"


FILE_TESTS = [rpmlint_has_nothing_to_say, rpm_has_the_right_dependencies]
