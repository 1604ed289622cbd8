# SPDX-License-Identifier: Apache-2.0
"""The checks with SELinux, enforcing: the agent is confined as on RHEL 9, with the boolean off and on."""

import base64
import time

from agent import AgentError
from checks import CONSISTENT, check_nothing_left, verdict
from guest import Guest

OWN = "fsfreeze_hook_t"
RECIPES = ("50-mariadb", "52-postgresql", "54-redis")
LOAD = "set -e; . /root/selinux.sh; load_policy_modules"
# A hook of somebody else, which says where it runs.
OTHER = """\
#!/bin/sh
# fsfreeze-hook: guarantee = application-consistent
echo "domain: $(tr -d '\\0' </proc/self/attr/current)"
"""
SLOW = """\
#!/bin/sh
[ "$1" = thaw ] || sleep 120
"""
EVIL = "#!/bin/sh\n: >/run/evil\n"


def selinux(lab, results):
    """The program's own domain: recipes held with the boolean off and on, recovery by systemd, and no denial."""
    with lab.ready("enforcing") as machine:
        guest = Guest(machine)
        results.check("SELinux is enforcing", guest.shell.text("getenforce") == "Enforcing")
        results.check("the agent is confined", "virt_qemu_ga_t" in guest.shell.text("ps -o label= -C qemu-ga"))
        without_module(guest, results)
        begin = time.monotonic()
        code, words = guest.shell.run(LOAD, timeout=300)
        results.check("the package's script loads the module", code == 0, words)
        results.note(f"loading takes {time.monotonic() - begin:.0f} s")
        guest.shell.run("systemctl restart qemu-guest-agent", timeout=90)
        guest.agent.sync(60)
        guest.hook("20-other", OTHER)
        since = guest.uptime()
        held(guest, results, OWN, "off", guest.freeze)
        caller(guest, results)
        recovery(guest, results)
        guest.shell.run("setsebool virt_qemu_ga_run_unconfined on", timeout=90)
        held(guest, results, "virt_qemu_ga_unconfined_t", "on", guest.freeze_nothing)
        seen = denials(guest, since)
        results.check("nothing of the program's or the agent's was denied", not seen, seen)


def without_module(guest, results):
    """The program in the agent's domain, which may nothing: what is not held is not claimed."""
    code, words = guest.shell.run("fsfreeze-hook check")
    results.check("check asks the policy for the agent's domain", code == 2 and (
        "in virt_qemu_ga_t, where /usr/sbin/fsfreeze-hook runs when qemu-ga" in words), words)
    count = cycle(guest, guest.freeze_nothing)
    results.check("a cycle in the agent's domain holds nothing, and says so", verdict(guest) != CONSISTENT, (
        f"{count}, {guest.log()}"))
    seen = denials(guest, 0)
    results.check("links of recipes are denied there, as on RHEL", "lnk_file" in seen, seen)
    code, words = guest_exec(guest, "/usr/sbin/fsfreeze-hook", "check")
    results.check("check by guest-exec says in which domain it looks", (
        "check runs in the SELinux domain virt_qemu_ga_t" in words), words)
    results.check("check by guest-exec does not advise to remove a recipe", "rm /etc/qemu" not in words, words)


def cycle(guest, freeze):
    """A freeze that may fail, and a thaw."""
    try:
        count = freeze()
    except AgentError as error:
        count = error
    guest.thaw()
    return count


def held(guest, results, domain, boolean, freeze):
    """A cycle with three recipes and a hook of somebody else."""
    since = len(guest.log())
    count = freeze()
    log = guest.log()[since:]
    results.check(f"{boolean}: frozen", "frozen: 4 hooks, 0 failed" in log, f"{count}\n{log}")
    results.check(f"{boolean}: MariaDB is held", "50-mariadb: held by BACKUP STAGE" in log, log)
    missing = [name for name in RECIPES if f"/{name} finished with status=0" not in log]
    results.check(f"{boolean}: all three recipes ran", not missing, missing)
    results.check(f"{boolean}: the hook of somebody else runs in {domain}", (
        f"20-other: domain: system_u:system_r:{domain}:" in log), log)
    guards = guest.shell.text("ps -eo label,unit,args | grep '[f]sfreeze-hook guard'")
    results.check(f"{boolean}: the guard has its scope and the program's domain", OWN in guards and (
        "fsfreeze-hook-" in guards and ".scope" in guards), guards)
    if freeze == guest.freeze:
        results.check(f"{boolean}: the filesystem is frozen", guest.frozen_really())
    guest.thaw()
    results.check(f"{boolean}: the image is application-consistent", verdict(guest) == CONSISTENT, guest.log()[since:])
    check_nothing_left(guest, results)
    code, words = guest.shell.run("fsfreeze-hook check --json", timeout=60)
    results.check(f"{boolean}: check finds no error of SELinux", "SELinux denies" not in words and (
        "SELinux does not let" not in words), words)


def caller(guest, results):
    """Who may guest-exec can start a cycle, and nothing else."""
    for command in ("install -d /var/log/evil.d", "chmod 755 /var/log/evil.d"):
        guest.shell.run(command)
    guest.put("/var/log/evil.d/10-evil", EVIL)
    code, words = guest_exec(guest, "/usr/sbin/fsfreeze-hook", "rehearse", "--hook-dir", "/var/log/evil.d")
    results.check("an option of guest-exec's is refused", code == 64 and "fewer rights" in words, f"{code} {words}")
    results.check("the hook of its choice did not run", guest.shell.run("test -e /run/evil")[0] == 1)
    code, words = guest_exec(guest, "/usr/sbin/fsfreeze-hook", "status")
    results.check("status is not", code == 0 and CONSISTENT in words, f"{code} {words}")
    words = guest.shell.text("fsfreeze-hook rehearse --hold 10ms 2>&1", timeout=120)
    results.check("a rehearsal of a shell of root says that it runs elsewhere", (
        "a freeze by qemu-ga runs in fsfreeze_hook_t" in words), words)


def recovery(guest, results):
    """Agent, freeze and guard end by SIGKILL while databases are held: systemd starts the agent, and recover."""
    guest.hook("90-slow", SLOW)
    since = len(guest.log())
    guest.agent.send("guest-fsfreeze-freeze")
    started = guest.until(lambda: any("/90-slow" in "\t".join(words) for words in guest.record()), 120)
    results.check("a freeze hangs in its last hook", started is not None, guest.record())
    guest.shell.run("pkill -KILL -x qemu-ga; pkill -KILL -f '[f]sfreeze-hook (freeze|guard)'")
    thawed = guest.until(lambda: "thawed: " in guest.log()[since:], 120)
    log = guest.log()[since:]
    results.check("systemd has had it thawed", thawed is not None and "50-mariadb thaw" in log, log)
    journal = guest.shell.text("journalctl -b --no-pager -u qemu-guest-agent | tail -n 30")
    results.check("by recover, which was not refused", "Permission denied" not in journal, journal)
    guest.shell.run("rm /etc/qemu/fsfreeze-hook.d/90-slow")
    guest.agent.sync(60)
    guest.until(lambda: not guest.processes(), 10)


def denials(guest, since):
    """What the program and the agent were denied since that uptime."""
    lines = guest.shell.text("journalctl -b --no-pager -o short-monotonic _TRANSPORT=audit + _TRANSPORT=kernel | "
                             "grep -E 'avc: +denied' | grep -E 'context=[^ ]*(fsfreeze|qemu_ga)'").splitlines()
    return "\n".join(line for line in lines if float(line.strip("[ ").split("]")[0]) > since)


def guest_exec(guest, path, *arguments):
    """What guest-exec answers: the exit status, and the output of both kinds."""
    number = guest.agent.ask("guest-exec", path=path, arg=list(arguments), capture_output=True)["pid"]
    answer = {}

    def exited():
        answer.update(guest.agent.ask("guest-exec-status", pid=number))
        return answer["exited"]

    guest.until(exited, 60)
    texts = [base64.b64decode(answer.get(key, "")).decode(errors="replace") for key in ("out-data", "err-data")]
    return answer.get("exitcode"), "".join(texts)


ALL = {"selinux": selinux}
