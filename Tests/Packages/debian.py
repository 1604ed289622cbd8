# SPDX-License-Identifier: Apache-2.0
"""The promises of the Debian package: a story from installation to purge, in a fresh system of each release."""

import json
import re

from container import expect

PROGRAM = "/usr/sbin/fsfreeze-hook"
DROPIN = "/usr/lib/systemd/system/qemu-guest-agent.service.d/50-fsfreeze-hook.conf"
CALLS_PROGRAM = f"-F{PROGRAM}"

# A hook that holds a session from freeze to thaw and leaves a process running: the window has a guard, a holder and a
# drainer.
HOOK = """#!/bin/sh
# fsfreeze-hook: description = a session that is held
case $1 in
freeze)
    while sleep 0.1 && [ -e "$FSFREEZE_RUN_DIR/cycle" ]; do :; done &
    fsfreeze-hook hold session --run-dir "$FSFREEZE_RUN_DIR" --ready held -- sh -c 'echo held; exec cat' </dev/null ;;
thaw)   fsfreeze-hook release session --run-dir "$FSFREEZE_RUN_DIR" ;;
esac
"""


def expect_same(before, after, what):
    """Expects that two listings are the same."""
    lines = [f"< {l}" for l in sorted(set(before) - set(after))] + [f"> {l}" for l in sorted(set(after) - set(before))]
    expect(not lines, f"{what} (< before, > after):\n" + "\n".join(lines[:40]))


def expect_agent(system, calls_program, why):
    """Expects that the agent runs, with or without the program as its hook."""
    system.wait(lambda: system.agent()[0] != 0, "the agent does not run")
    line = system.agent()[1]
    expect((CALLS_PROGRAM in line) == calls_program, f"{why}: the agent runs as {' '.join(line)}")


def parts(system):
    """The kinds of the program's own processes that run, sorted, and the paths of its sockets."""
    lines = system.sh("ps -e -o args").splitlines()
    processes = sorted(l.split()[1] for l in lines if l.startswith("fsfreeze-hook "))
    return processes, system.sh("find /run/fsfreeze-hook -type s").split()


def expect_parts(system):
    """Expects a process of each kind in the window, each with its socket."""
    processes, sockets = parts(system)
    expect(processes == ["drain-output", "guard", "holder"] and len(sockets) == 3, f"{processes}, {sockets}")


def expect_nothing_left(system):
    """Expects that the thaw has ended them all; the drainer ends with the process that it reads from."""
    system.wait(lambda: parts(system) == ([], []), "the thaw has left processes or sockets of ours", 10)


def our_lines(output):
    """The lines of the package's own scripts, without those of dpkg and the service manager."""
    noise = (r"\(Reading database|Selecting|Preparing|Unpacking|Setting up|Processing|Removing|Purging|dpkg:"
             r"|Created symlink")
    return [l for l in output.splitlines() if l.strip() and not re.match(noise, l)]


def before(system):
    """A system as its administrator has it: the agent runs, without a hook."""
    system.sh("systemctl start qemu-guest-agent")
    expect_agent(system, False, "before the installation")


def installs(system, package):
    """The package switches the program on, restarts the agent, and says one line."""
    untouched = system.sh("cat /etc/qemu/fsfreeze-hook; ls -la /etc/qemu/fsfreeze-hook")
    pid = system.agent()[0]
    said = our_lines(system.sh(f"dpkg -i {package}"))
    expect(len(said) == 1 and "switched on" in said[0], f"the installation says: {said}")
    named = re.search(r"Next: fsfreeze-hook (\w+)", said[0])
    known = json.loads(system.sh(f"{PROGRAM} --experimental-dump-help"))["command"]["subcommands"]
    expect(named and named[1] in [c["commandName"] for c in known], f"the next step is no command: {said[0]}")
    expect_agent(system, True, "after the installation")
    expect(system.agent()[0] != pid, "the agent was not restarted")
    expect(untouched == system.sh("cat /etc/qemu/fsfreeze-hook; ls -la /etc/qemu/fsfreeze-hook"),
           "the hook of the package qemu-guest-agent was changed")
    expect(system.sh("dpkg --verify fsfreeze-hook qemu-guest-agent") == "", "dpkg --verify finds changed files")
    for directory in ("/run/fsfreeze-hook", "/var/lib/fsfreeze-hook"):
        expect(system.sh(f"stat -c '%a %U:%G' {directory}").strip() == "700 root:root", f"{directory} is not private")
    # -w: minimal systems leave the pages of most packages out.
    for page in ("8 fsfreeze-hook", "5 fsfreeze-hook.conf", "7 fsfreeze-hook-recipes"):
        expect(system.sh(f"man -w {page}").strip().endswith(".gz"), f"man does not find {page}")


def sets_up(system):
    """An administrator's way: setup shows, makes and takes back; check says what else is in the way."""
    configuration = system.sh("cat /etc/qemu/qemu-ga.conf")
    # A process of the application's name stands for the application.
    system.sh("cp /bin/sleep /usr/sbin/redis-server && (redis-server 1000 </dev/null >/dev/null 2>&1 &)")
    plan = system.sh(f"{PROGRAM} setup; echo status=$?")
    link = "/etc/qemu/fsfreeze-hook.d/54-redis"
    line = f"+ {link} -> /usr/libexec/fsfreeze-hook/recipes/redis\n1 change; to make"
    expect(line in plan and "status=2" in plan, plan)
    made = json.loads(system.sh(f"{PROGRAM} setup --apply --json"))
    expect(made["changed"] and "restart" not in made and system.succeeds(f"test -x {link}"), f"setup: {made}")
    again = json.loads(system.sh(f"{PROGRAM} setup --apply --json"))
    expect(again["changed"] is False, "setup changes something twice")
    checks = json.loads(system.sh(f"{PROGRAM} check --json", fail=False))["checks"]
    findings = [f for c in checks for f in c["findings"]]
    seen = {f["subject"] for f in findings if f["severity"] != "note"}
    expect(seen <= {"org.qemu.guest_agent.0"}, f"check finds: {findings}")

    # Without the package's drop-in setup changes the configuration file of qemu-ga.
    directory = "/etc/systemd/system/qemu-guest-agent.service.d"
    system.sh(f"mkdir {directory} && ln -s /dev/null {directory}/50-fsfreeze-hook.conf && systemctl daemon-reload")
    system.sh("systemctl restart qemu-guest-agent")
    expect_agent(system, False, "with a masked drop-in")
    expect("was started without a hook" in system.sh(f"{PROGRAM} check", fail=False), "check does not miss the hook")
    made = json.loads(system.sh(f"{PROGRAM} setup --apply --json"))
    expect(made["restart"] == "systemctl restart qemu-guest-agent", f"setup: {made}")
    system.sh(f"rm /run/qga.sock; {made['restart']}")
    system.wait(lambda: system.succeeds("test -S /run/qga.sock"), "the agent does not listen")
    system.freeze()
    expect(system.status()["state"] == "frozen", "the agent does not call the program")
    system.thaw()

    undone = json.loads(system.sh(f"{PROGRAM} setup --undo --json"))
    expect(undone["changed"] and not undone["attention"], f"setup --undo: {undone}")
    expect(system.sh("cat /etc/qemu/qemu-ga.conf") == configuration, "qemu-ga.conf is not as it was")
    expect(not system.succeeds(f"test -e {link}"), "the recipe is enabled still")
    system.sh(f"rm -r {directory}; systemctl daemon-reload; pkill redis-server; rm /usr/sbin/redis-server")
    system.sh("systemctl restart qemu-guest-agent")
    expect_agent(system, True, "after all was taken back")


def runs_a_cycle(system):
    """The agent's freeze and thaw run a whole cycle, and the journal has it, with explanations."""
    system.put("/etc/qemu/fsfreeze-hook.d/10-session", HOOK, 0o755)
    expect(system.freeze() == 0, "the freeze has frozen something")
    expect(system.status()["state"] == "frozen", "status does not say frozen")
    expect([h["alive"] for h in system.status()["holds"]] == [True], "the session is not held")
    system.thaw()
    status = system.status()
    cycle = status["last"]
    expect(cycle["verdict"] == "application-consistent", f"the cycle is {cycle['verdict']}: {cycle['reasons']}")
    log = system.sh("cat /var/log/qga-fsfreeze-hook.log")
    expect(f"(cycle {cycle['id']}): application-consistent" in log, f"the log does not have the cycle:\n{log}")
    journal = system.sh("journalctl --output=json -t fsfreeze-hook").splitlines()
    entries = [json.loads(l) for l in journal if l[:1] == "{"]
    words = {e.get("FSFREEZE_ACTION") for e in entries if e.get("FSFREEZE_CYCLE") == cycle["id"]}
    expect({"freeze", "thaw"} <= words, f"the journal does not have the cycle: {entries}")
    expect(any(e.get("FSFREEZE_VERDICT") == "application-consistent" for e in entries), "nor its verdict")
    expect("Subject: The backup is application-consistent" in system.sh("journalctl -x -t fsfreeze-hook"),
           "the journal's catalog does not explain the entries")
    expect("own session" not in log, "the guard got no scope of its own from systemd")
    expect_nothing_left(system)


def upgrades_in_the_window(system, newer):
    """A version with other messages comes while applications are held: nothing is lost, its thaw ends the window."""
    agent = system.agent()[0]
    system.freeze()
    expect_parts(system)
    cycle = system.sh("cat /run/fsfreeze-hook/cycle | head -n 1")
    said = our_lines(system.sh(f"dpkg -i {newer}"))
    expect(not said, f"the upgrade says: {said}")
    expect(system.sh("dpkg --verify fsfreeze-hook") == "", "dpkg --verify finds changed files")
    expect(system.agent()[0] == agent, "the agent was restarted in the window")
    expect(system.sh("cat /run/fsfreeze-hook/cycle | head -n 1") == cycle, "the cycle was lost")
    expect([h["alive"] for h in system.status()["holds"]] == [True], "the session was lost")
    system.thaw()
    last = system.status()["last"]
    expect(last["verdict"] == "application-consistent", f"the cycle is {last['verdict']}: {last['reasons']}")
    expect([h["action"] for h in last["hooks"]] == ["freeze", "thaw"], f"hooks were called otherwise: {last['hooks']}")
    expect_nothing_left(system)


def stays_in_the_window(system):
    """The package is not removed while applications are held."""
    system.freeze()
    said = system.sh("dpkg --remove fsfreeze-hook && echo removed", fail=False)
    expect("removed\n" not in said[-9:] and "a backup is going on" in said, f"it is removed in the window: {said}")
    expect_agent(system, True, "after a removal that was refused")
    system.thaw()
    expect(system.status()["last"]["verdict"] == "application-consistent", "the cycle was spoiled")


def removes(system, expected):
    """Removing switches off, and leaves configuration alone."""
    system.sh("ln -sf /usr/libexec/fsfreeze-hook/recipes/mariadb /etc/qemu/fsfreeze-hook.d/50-mariadb")
    # The changes of setup are taken back: an agent that names a missing program refuses every freeze.
    directory = "/etc/systemd/system/qemu-guest-agent.service.d"
    system.sh(f"mkdir {directory} && ln -s /dev/null {directory}/50-fsfreeze-hook.conf && {PROGRAM} setup --apply")
    system.sh("systemctl daemon-reload && systemctl restart qemu-guest-agent")
    expect_agent(system, False, "by its configuration file")
    pid = system.agent()[0]
    expect("fsfreeze-hook=" in system.sh("cat /etc/qemu/qemu-ga.conf"), "setup has not switched the agent on")
    said = our_lines(system.sh("dpkg --remove fsfreeze-hook"))
    expect("1 change taken back" in said, f"the removal says: {said}")
    expect(system.agent()[0] != pid, "the agent still has what it was told of the program")
    system.sh(f"rm -r {directory}; systemctl daemon-reload")
    settings = system.sh("cat /etc/qemu/qemu-ga.conf")
    expect("fsfreeze-hook=" not in settings, "the agent is told of a program that is gone")
    expect_agent(system, False, "after the removal")
    expect(system.sh("dpkg --verify qemu-guest-agent") == "", "the agent's package was changed")
    expect(system.freeze() == 0 and system.thaw() == 0, "the agent does not freeze without the program")
    left = {l.split()[3] for l in system.listing() if l[1] == " "} - {l.split()[3] for l in expected if l[1] == " "}
    allowed = r"/etc/logrotate.d/fsfreeze-hook|/etc/qemu/.*|/var/log/qga-fsfreeze-hook.log.*|/var/lib/fsfreeze-hook.*"
    wrong = sorted(l for l in left if not re.fullmatch(allowed, l))
    expect(not wrong, f"the removal leaves: {wrong}")


def purges(system, expected):
    """Purging leaves only the administrator's own files."""
    system.sh("dpkg --purge fsfreeze-hook")
    system.sh("rm /etc/qemu/fsfreeze-hook.d/10-session")
    expect_same(expected, system.listing(), "the purge leaves the system otherwise than it was")
    expect(not system.succeeds("ls -d /run/fsfreeze-hook"), "the purge leaves /run/fsfreeze-hook")


def installs_beside_a_frozen_agent(system, package):
    """The agent holds filesystems: it is not restarted, and the package says what to do."""
    system.put("/run/qga.state.isfrozen", "")
    pid = system.agent()[0]
    said = our_lines(system.sh(f"dpkg -i {package}"))
    expect(len(said) == 1 and "systemctl restart qemu-guest-agent" in said[0], f"the installation says: {said}")
    expect(system.agent()[0] == pid, "a frozen agent was restarted")
    system.sh("rm /run/qga.state.isfrozen")
    # The package is installed again, as by `apt-get install --reinstall`.
    said = our_lines(system.sh(f"dpkg -i {package}"))
    expect(len(said) == 1 and "switched on" in said[0], f"the second installation says: {said}")
    expect_agent(system, True, "after the second installation")


def purges_with_everything(system, expected):
    """An administrator's configuration goes with a purge, a metrics file included."""
    system.put("/etc/qemu/fsfreeze-hook.conf", "[general]\nmetrics-file = /var/lib/misc/fsfreeze-hook.prom\n")
    system.put("/etc/qemu/fsfreeze-recipes.d/mariadb.conf", "password = secret\n", 0o600)
    system.put("/var/lib/misc/fsfreeze-hook.prom", "")
    system.sh("ln -s /usr/libexec/fsfreeze-hook/recipes/mariadb /etc/qemu/fsfreeze-hook.d/50-mariadb")
    for name in ("log.1", "log.2.gz"):
        system.put(f"/var/log/qga-fsfreeze-hook.{name}", "")
    system.sh("dpkg --purge fsfreeze-hook")
    expect_agent(system, False, "after the purge")
    expect_same(expected, system.listing(), "the purge leaves the system otherwise than it was")


def story(system, package, newer):
    """All steps in order; yields the name of each that holds."""
    package, newer = system.give(package), system.give(newer)
    before(system)
    expected = system.listing()
    steps = [
        (installs, package), (sets_up,), (runs_a_cycle,), (upgrades_in_the_window, newer), (stays_in_the_window,),
        (removes, expected), (purges, expected), (installs_beside_a_frozen_agent, package),
        (purges_with_everything, expected),
    ]
    for step, *arguments in steps:
        step(system, *arguments)
        yield step
