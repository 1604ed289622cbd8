# SPDX-License-Identifier: Apache-2.0
"""The checks in the guest. Each begins with a machine of its own."""

import statistics
import subprocess
import time
from datetime import datetime

from agent import AgentError
from guest import RUN, SLOW, WRITER, Guest
from lab import Timer

CONSISTENT = "application-consistent"
CRASH = "crash-consistent"


def set_up(machine, hook_text=None, **settings):
    """A guest with one hook and a configuration."""
    guest = Guest(machine)
    guest.configure(**settings)
    if hook_text is None:
        guest.hook("10-session")
    else:
        guest.hook("10-slow", hook_text)
    return guest


def in_scope(window):
    """Whether guard, holder and client live in one scope of ours."""
    units = {process.unit if process else None for process in window.values()}
    unit = next(iter(units)) if len(units) == 1 else None
    return set(window) == {"guard", "holder", "client"} and bool(unit) and unit.startswith("fsfreeze-hook-") and (
        unit.endswith(".scope"))


def alive(window):
    return set(window) == {"guard", "holder", "client"} and all(window.values())


def verdict(guest):
    return guest.status()[1].get("last", {}).get("verdict")


def check_nothing_left(guest, results):
    gone = guest.until(lambda: not guest.processes(), 5)
    results.check("no process of ours is left", gone is not None, guest.processes())
    units = guest.shell.text("systemctl list-units --all --no-legend 'fsfreeze-hook*'")
    results.check("no unit of ours is left", not units, units)
    files = guest.shell.text(f"ls -A {RUN}")
    results.check("the run directory is empty", files == "", files)


def placement(lab, results):
    """The guard and the holds live in a scope of their own; the cost of the scope."""
    with lab.ready() as machine:
        guest = set_up(machine)
        with Timer() as freeze:
            count = guest.freeze()
        results.check("guest-fsfreeze-freeze froze the one filesystem", count == 1, f"{count}, {freeze.seconds:.2f} s")
        line = next((line for line in guest.log().splitlines() if "guard:" in line), "")
        results.check("the log says that the guard has a unit", "guard: the systemd unit fsfreeze-hook-" in line, line)
        window = guest.window()
        results.check("guard, holder and client live in the guard's scope", in_scope(window), window)
        groups = {name: process.group for name, process in window.items() if process}
        results.note(groups)
        code, state = guest.status()
        results.check("status says frozen, with a live hold", state.get("state") == "frozen" and code == 0 and (
            state.get("holds") == [{"name": "session", "hook": "10-session", "alive": True}]), state)
        results.check("filesystem is really frozen", guest.frozen_really())
        with Timer() as thaw:
            count = guest.thaw()
        results.check("guest-fsfreeze-thaw thawed it", count == 1, f"{count}, {thaw.seconds:.2f} s")
        results.check("verdict", verdict(guest) == CONSISTENT, guest.log().splitlines()[-1])
        check_nothing_left(guest, results)
        words = guest.journal("-o cat")
        results.check("the journal has what the hook said", "opening the session" in words and (
            "closing the session (thaw)" in words), words)
        fields = guest.journal("-o verbose")
        results.check("the journal has the fields", all(f" {name}=" in fields for name in (
            "FSFREEZE_CYCLE", "FSFREEZE_HOOK", "FSFREEZE_ACTION", "FSFREEZE_STATUS", "FSFREEZE_DURATION_USEC",
            "FSFREEZE_VERDICT", "MESSAGE_ID")))
        measure_placement(guest, results)


def measure_placement(guest, results, rounds=7):
    """The time from the cycle's begin to its first hook: with a scope, with a plain guard, with none."""

    def before_hook():
        guest.freeze()
        guest.thaw()
        last = guest.status()[1]["last"]
        begun, first = (datetime.fromisoformat(text) for text in (last["started"], last["hooks"][0]["started"]))
        return (first - begun).total_seconds() * 1000

    def median(what):
        values = [before_hook() for _ in range(rounds)]
        results.note(f"{what}: begin to first hook, ms: median {statistics.median(values):.0f} of {sorted(values)}")
        return statistics.median(values)

    scope = median("guard in a scope")
    # sd_booted(3) looks for this directory.
    guest.shell.run("mv /run/systemd/system /run/systemd/system.away")
    session = median("guard in a session only")
    guest.shell.run("mv /run/systemd/system.away /run/systemd/system")
    guest.configure(hold_limit=0)
    none = median("no guard")
    results.note(f"the scope costs {scope - session:.0f} ms, the guard itself {session - none:.0f} ms")
    results.check("placing the guard takes less than 200 ms", scope - session < 200)


def placement_under_load(lab, results, rounds=5):
    """The guard gets its scope while the guest's processors are busy."""
    with lab.ready() as machine:
        guest = set_up(machine)
        guest.shell.run("for i in 1 2 3 4 5 6; do sh -c 'while :; do :; done' </dev/null >/dev/null 2>&1 & done")
        places = []
        for _ in range(rounds):
            guest.freeze()
            places.append(in_scope(guest.window()))
            guest.thaw()
        lines = [line for line in guest.log().splitlines() if " guard: " in line]
        results.check(f"in each of {rounds} cycles all processes of the window are in a scope", all(places), places)
        units = [line for line in lines if "guard: the systemd unit " in line]
        results.check("and the log says so each time", len(units) == rounds, "\n".join(lines))
        results.check("each verdict is good", guest.log().count(f": {CONSISTENT}") == rounds)


def agent_killed(lab, results):
    """The agent's unit is killed while frozen: everything survives, the restarted agent thaws."""
    with lab.ready() as machine:
        guest = set_up(machine)
        guest.freeze()
        before = guest.window()
        old = guest.shell.text("pidof qemu-ga")
        guest.shell.run("systemctl kill -s KILL qemu-guest-agent")
        seconds = guest.until(lambda: guest.shell.text("pidof qemu-ga") not in ("", old), 30)
        if seconds is None:
            results.note("systemd does not restart it by itself: " + guest.shell.text(
                "systemctl show qemu-guest-agent -p ActiveState,SubState,Result,Restart"))
            guest.shell.run("timeout 60 systemctl start qemu-guest-agent", timeout=70)
        guest.agent.sync(60)
        after = guest.window()
        results.check("guard, holder and client live", alive(after), after)
        results.check("they are the same processes", all(
            after[name] and before[name].pid == after[name].pid for name in before), before)
        status = guest.agent.ask("guest-fsfreeze-status")
        results.check("the new agent knows that it is frozen", status == "frozen", status)
        results.check("filesystem is really frozen", guest.frozen_really())
        count = guest.thaw()
        results.check("its thaw works", count == 1, count)
        results.check("verdict", verdict(guest) == CONSISTENT, guest.log())
        results.check("recover left the cycle alone", "unfinished cycle" not in guest.log())
        said = guest.shell.text("journalctl -q --no-pager -u qemu-guest-agent -o cat | tail -20")
        results.check("and said so", "is left alone" in said, said)
        check_nothing_left(guest, results)


def agent_stopped(lab, results):
    """The agent's unit is stopped, and restarted, while frozen."""
    for verb in ("stop", "restart"):
        with lab.ready() as machine:
            guest = set_up(machine)
            # The agent ignores SIGTERM while frozen; the unit's own limit is 90 s.
            guest.unit_setting("TimeoutStopSec=4s")
            guest.freeze()
            with Timer() as timer:
                code, words = guest.shell.run(f"timeout 60 systemctl {verb} qemu-guest-agent", timeout=90)
            results.note(f"systemctl {verb}: status {code} after {timer.seconds:.1f} s {words}")
            window = guest.window()
            results.check(f"{verb}: guard, holder and client live", alive(window), window)
            if verb == "stop":
                guest.shell.run("timeout 60 systemctl start qemu-guest-agent", timeout=70)
            guest.agent.sync(60)
            results.check(f"{verb}: filesystem is still frozen", guest.frozen_really())
            count = guest.thaw()
            results.check(f"{verb}: the thaw of the new agent works", count == 1, count)
            results.check(f"{verb}: verdict", verdict(guest) == CONSISTENT, guest.log())
            check_nothing_left(guest, results)


def runner_killed(lab, results):
    """The runner is killed in mid-freeze: the guard recovers at once."""
    with lab.ready() as machine:
        guest = set_up(machine)
        guest.hook("20-slow", SLOW)
        guest.agent.send("guest-fsfreeze-freeze")
        seconds = guest.until(lambda: guest.pids("^sleep 30"), 30)
        results.note(f"the slow hook runs after {seconds} s")
        window = guest.window()
        results.check("the session is held by then", alive(window), window)
        guest.shell.run("kill -9 $(pgrep -f '^/usr/sbin/fsfreeze-hook freeze')")
        seconds = guest.until(lambda: "thawed:" in guest.log(), 20)
        results.check("the guard thaws within 3 s", seconds is not None and seconds < 3, seconds)
        try:
            answer = guest.agent.ask("guest-fsfreeze-status")
            # The late answer to the freeze came first.
            answer = guest.agent.ask("guest-fsfreeze-status")
        except AgentError as error:
            results.check("the host is told that the freeze failed", "hook" in str(error), error)
            answer = guest.agent.ask("guest-fsfreeze-status")
        results.check("nothing is frozen", answer == "thawed" and not guest.frozen_really(), answer)
        log = guest.log()
        results.check("the log tells of the unfinished cycle", "unfinished cycle" in log, log)
        results.check("the thaw hooks know the reason", "closing the session (recover)" in log and (
            "let go (recover)" in log), log)
        results.check("the slow hook is gone", not guest.pids("^sleep 30"))
        results.check("verdict", verdict(guest) == CRASH, guest.status())
        check_nothing_left(guest, results)


def no_thaw(lab, results):
    """No thaw comes: the guard frees the applications, and touches no disk."""
    with lab.ready() as machine:
        guest = set_up(machine, hold_limit="5s")
        guest.freeze()
        frozen_at = time.monotonic()
        results.check("filesystem is really frozen", guest.frozen_really())
        watch(guest, results, frozen_at, 5)
        results.check("filesystem is frozen still", guest.frozen_really())
        log = guest.log()
        results.check("the log has nothing of it yet", "the guard ends the window" not in log and (
            "expired" not in log), log)
        code, state = guest.status()
        results.check("status asks for the thaw", code == 2 and "its thaw has not come" in str(state.get(
            "attention")), state)
        results.check("guest-fsfreeze-status is frozen", guest.agent.ask("guest-fsfreeze-status") == "frozen")
        count = guest.thaw()
        results.check("a late thaw works", count == 1, count)
        after_guard(guest, results)


def no_thaw_filesystems(lab, results):
    """The same with thaw-filesystems = yes: writers go on although the host is lost."""
    with lab.ready() as machine:
        guest = set_up(machine, hold_limit="5s", thaw_filesystems="yes")
        guest.freeze()
        frozen_at = time.monotonic()
        results.check("filesystem is really frozen", guest.frozen_really())
        watch(guest, results, frozen_at, 5)
        results.check("filesystem is thawed", not guest.frozen_really())
        results.check("guest-fsfreeze-status is frozen still", guest.agent.ask("guest-fsfreeze-status") == "frozen")
        count = guest.thaw()
        results.note(f"the late thaw returned {count}")
        after_guard(guest, results)
        reasons = guest.status()[1].get("last", {}).get("reasons")
        results.check("the verdict names the filesystems", any(
            "the guard thawed the filesystems" in reason for reason in reasons or []), reasons)


def watch(guest, results, begin, limit):
    """Watches the processes from the freeze until the guard has ended the window."""
    states, outside, seen = set(), set(), set()
    while time.monotonic() - begin < limit + 15:
        processes = guest.processes()
        for process in processes:
            states.add(process.state)
            # A process that has just ended has no command line any more.
            seen.update(process.command.split()[1:2])
        pids = " ".join(str(process.pid) for process in processes)
        for line in guest.shell.text(
                f"for p in {pids}; do for f in /proc/$p/fdinfo/*; do "
                "m=$(sed -n 's/^flags:[[:space:]]*//p' $f 2>/dev/null); case $m in *[12]) "
                "readlink /proc/$p/fd/${f##*/};; esac; done; done").splitlines():
            if line.startswith("/") and not line.startswith((RUN, "/dev/null", "/run/")):
                outside.add(line)
        if not processes:
            break
    results.check("the guard ended the window in time", time.monotonic() - begin < limit + 5 and not guest.processes(),
                  f"{time.monotonic() - begin:.1f} s after the freeze; seen: {seen}; left: {guest.processes()}")
    results.check("none of ours stood in state D", "D" not in states, states)
    results.check("none of ours had a file open for writing but in /run", not outside, outside)
    words = guest.shell.text(f"cat {RUN}/deferred")
    results.check("the guard's words wait in the run directory", "no thaw came within 5s" in words and (
        "closing the session (expired)" in words), words)


def no_thaw_writer(lab, results):
    """The same with a thaw hook that writes to the frozen disk: it hangs, the others are thawed."""
    with lab.ready() as machine:
        guest = set_up(machine, hold_limit="3s", hook_timeout="2s", kill_grace="1s")
        guest.hook("20-writer", WRITER)
        guest.freeze()
        begin = time.monotonic()
        results.check("filesystem is really frozen", guest.frozen_really())
        held = guest.until(lambda: not guest.window().get("client"), 30)
        results.check("the session is freed although another hook hangs", held is not None, (
            f"{time.monotonic() - begin:.1f} s after the freeze"))
        # The drainer of the hanging hook's output stays as long as the hook.
        gone = guest.until(lambda: not guest.pids("^fsfreeze-hook (guard|holder)"), 10)
        results.check("guard and holder have ended", gone is not None, guest.processes())
        writer = guest.processes(guest.pids("20-writer"))
        results.note(f"the hook that writes: {writer}")
        words = guest.shell.text(f"cat {RUN}/deferred")
        results.check("the guard's words name the hook", "20-writer" in words and "time limit of" in words, words)
        with Timer() as timer:
            count = guest.thaw()
        results.check("a late thaw works", count == 1 and timer.seconds < 10, f"{count}, {timer.seconds:.1f} s")
        results.check("the hanging hook is gone then", guest.until(lambda: not guest.pids("20-writer"), 5) is not None)
        results.check("the late thaw has called it again", guest.shell.text("cat /var/tmp/writer") == "thawed")
        reasons = guest.status()[1].get("last", {}).get("reasons", [])
        results.check("nothing is said to be lost", not any("is lost" in reason for reason in reasons), reasons)
        after_guard(guest, results, 3)


def after_guard(guest, results, limit=5):
    log = guest.log()
    results.check("the log has it after the thaw, in the order of time", all(words in log for words in (
        f"no thaw came within {limit}s", "closing the session (expired)", "after the guard had ended the window")), log)
    stamps = [line.split(": ")[0] for line in log.splitlines()]
    results.note("log times rise" if stamps == sorted(stamps) else f"log times do not rise: {stamps}")
    journal = guest.journal("-o cat")
    results.check("the journal has it too", f"no thaw came within {limit}s" in journal, journal)
    last = guest.status()[1].get("last", {})
    results.check("verdict", last.get("verdict") == CRASH and any(
        "the guard ended the window at" in reason for reason in last.get("reasons", [])), last.get("reasons"))
    check_nothing_left(guest, results)


def freeze_of_nothing(lab, results):
    """freeze-list with an unknown mount: no thaw follows, the guard ends the window."""
    with lab.ready() as machine:
        guest = set_up(machine, hold_limit="3s")
        count = guest.freeze_nothing()
        results.check("the agent says that nothing is frozen", count == 0, count)
        window = guest.window()
        results.check("the session is held all the same", in_scope(window), window)
        seconds = guest.until(lambda: not guest.processes(), 15)
        results.check("the guard ends the window after 3 s", seconds is not None and seconds < 6, seconds)
        code, state = guest.status()
        results.check("status says so", code == 2 and state.get("state") == "thawed", state)
        results.note(f"log before any thaw: {guest.log()}")
        results.check("the next freeze works", guest.freeze() == 1)
        results.check("and its thaw", guest.thaw() == 1)
        log = guest.log()
        results.check("the log has the guard's words", "no thaw came within 3s" in log, log)
        results.check("verdict of the second cycle", verdict(guest) == CONSISTENT, guest.status())
        check_nothing_left(guest, results)


def image_boots(lab, results):
    """A snapshot taken while frozen boots as a second machine, and status there tells the truth."""
    with lab.ready() as machine:
        guest = set_up(machine)
        guest.freeze()
        taken = lab.snapshot(machine)
        results.check("the thaw after the snapshot works", guest.thaw() == 1)
        code, state = guest.status()
        results.check("the first machine is no image", code == 0 and "image" not in state, state)
        here = state.get("last", {}).get("id")
    check_image(lab, results, taken, here, CONSISTENT, 0)
    with lab.ready() as machine:
        guest = set_up(machine)
        guest.hook("20-fails", "#!/bin/sh\n[ $1 = freeze ] && exit 3\nexit 0\n")
        guest.freeze()
        taken = lab.snapshot(machine)
        guest.thaw()
        here = guest.status()[1].get("last", {}).get("id")
    check_image(lab, results, taken, here, CRASH, 2)


def image_after_guard(lab, results):
    """A snapshot taken after the guard has ended the window: applications run again, and status there says so."""
    for case, settings in (("freeze of nothing", {}), ("thaw-filesystems", {"thaw_filesystems": "yes"})):
        with lab.ready() as machine:
            guest = set_up(machine, hold_limit="2s", **settings)
            if case == "freeze of nothing":
                guest.freeze_nothing()
            else:
                guest.freeze()
            ended = guest.until(lambda: guest.record() and not guest.processes(), 20)
            results.check(f"{case}: the guard has ended the window", ended is not None, ended)
            results.check(f"{case}: writers run", not guest.frozen_really())
            guest.shell.run("echo later > /root/later; sync", timeout=60)
            taken = lab.snapshot(machine)
        with lab.boot(taken) as machine:
            guest = Guest(machine)
            later = guest.shell.text("cat /root/later")
            results.check(f"{case}: the image has what was written later", later == "later", later)
            code, state = guest.status()
            results.check(f"{case}: status on the image does not call it {CONSISTENT}", code == 2 and (
                state.get("image", {}).get("verdict") != CONSISTENT), f"{code} {state}")


def check_image(lab, results, disk, cycle, expected, expected_code):
    with lab.boot(disk) as machine:
        guest = Guest(machine)
        code, state = guest.status()
        image = state.get("image", {})
        results.check(f"the image's status is {expected}", image.get("verdict") == expected, state)
        results.check(f"its exit status is {expected_code}", code == expected_code, code)
        results.check("it names the cycle", cycle and image.get("cycle") == cycle, f"{cycle} {image}")
        results.check("its state is thawed, nothing needs attention", state.get("state") == "thawed" and (
            "attention" not in state), state)
        words = guest.shell.text("journalctl -q --no-pager -k -b -o cat | grep -E 'EXT4|recover'")
        results.check("its filesystem needed no recovery", "recovery complete" not in words, words)
        results.check("a cycle on it works", (guest.freeze(), guest.thaw()) == (1, 1))
        code, state = guest.status()
        results.check("and is told beside where it came from", state.get("last", {}).get("verdict") == expected and (
            code == expected_code and state.get("image", {}).get("cycle") == cycle), f"{code} {state}")


def power_cut(lab, results):
    """A reset in the window, then boot."""
    with lab.ready() as machine:
        guest = set_up(machine)
        guest.freeze()
        boot = guest.shell.text("cat /proc/sys/kernel/random/boot_id")
        machine.monitor.ask("system_reset")
        time.sleep(2)
        guest.shell.wait(240)
        guest.agent.sync(240)
        results.check("it has booted anew", guest.shell.text("cat /proc/sys/kernel/random/boot_id") != boot)
        code, state = guest.status()
        results.check("nothing is frozen or needs attention", state.get("state") == "thawed" and (
            "attention" not in state), f"{code} {state}")
        results.note(f"status {code}: {guest.shell.text('fsfreeze-hook status')}")
        code, words = guest.shell.run("fsfreeze-hook recover")
        results.check("recover has nothing to do and succeeds", code == 0, f"{code} {words}")
        results.check("a cycle works", (guest.freeze(), guest.thaw()) == (1, 1))
        results.check("verdict", verdict(guest) == CONSISTENT, guest.status())
        check_nothing_left(guest, results)


def power_off(lab, results):
    """A shutdown while the guard lives is not delayed by its scope."""
    seconds = {}
    for case in ("no cycle", "guard alive"):
        with lab.ready() as machine:
            guest = set_up(machine)
            if case == "guard alive":
                guest.freeze_nothing()
                window = guest.window()
                results.check("guard, holder and client live in the scope", in_scope(window), window)
            guest.shell.run("systemctl --no-block poweroff </dev/null >/dev/null 2>&1 &")
            try:
                seconds[case] = machine.wait_off(120)
            except subprocess.TimeoutExpired:
                seconds[case] = 120.0
            disk = machine.disk
        if case == "guard alive":
            with lab.boot(disk) as machine:
                guest = Guest(machine)
                results.note("the last boot's words:\n" + guest.shell.text(
                    "journalctl -q --no-pager -b -1 -o short-precise -t systemd -t fsfreeze-hook | "
                    "grep -E 'fsfreeze|Guard|guest-agent|timed out|Powering|Reached target' | tail -30"))
                code, state = guest.status()
                results.note(f"status after the next boot: {code} {state}")
    results.check("the shutdown takes at most 2 s longer", seconds["guard alive"] < seconds["no cycle"] + 2, seconds)


def drop_ins(lab, results):
    """The drop-ins: the agent calls the program, and recover makes up for a lost thaw."""
    with lab.ready() as machine:
        guest = set_up(machine, hold_limit=0)
        shown = guest.shell.text("systemctl show qemu-guest-agent -p ExecStart -p ExecStartPre -p ExecStopPost")
        results.check("the unit's commands", "-F/usr/sbin/fsfreeze-hook" in shown and (
            shown.count("fsfreeze-hook recover") == 2) and shown.count("path=/usr/sbin/qemu-ga") == 1, shown)
        guest.hook("20-slow", SLOW)
        guest.agent.send("guest-fsfreeze-freeze")
        guest.until(lambda: guest.pids("^sleep 30"), 30)
        guest.shell.run("systemctl kill -s KILL qemu-guest-agent")
        seconds = guest.until(lambda: "thawed:" in guest.log(), 15)
        log = guest.log()
        results.check("the unit is killed in mid-freeze, without a guard: recover thaws", seconds is not None and (
            "unfinished cycle" in log and "let go (recover)" in log), f"{seconds} s\n{log}")
        guest.shell.run("timeout 60 systemctl start qemu-guest-agent", timeout=70)
        guest.agent.sync(60)
        results.check("verdict", verdict(guest) == CRASH, guest.status())
        check_nothing_left(guest, results)

        guest.shell.run("rm /etc/qemu/fsfreeze-hook.d/20-slow")
        guest.freeze_nothing()
        results.check("without a guard there is none", not guest.pids("^fsfreeze-hook guard"))
        with Timer() as timer:
            guest.shell.run("timeout 60 systemctl stop qemu-guest-agent", timeout=70)
        results.check("the agent is stopped after a freeze of nothing: ExecStopPost thaws", (
            guest.log().count("closing the session (recover)") == 2), f"{timer.seconds:.1f} s\n{guest.log()}")
        check_nothing_left(guest, results)
        guest.shell.run("systemctl start qemu-guest-agent")
        guest.agent.sync(60)
        results.check("a cycle works", (guest.freeze(), guest.thaw()) == (1, 1))


ALL = {
    "placement": placement,
    "placement-load": placement_under_load,
    "agent-killed": agent_killed,
    "agent-stopped": agent_stopped,
    "runner-killed": runner_killed,
    "no-thaw": no_thaw,
    "no-thaw-filesystems": no_thaw_filesystems,
    "no-thaw-writer": no_thaw_writer,
    "freeze-of-nothing": freeze_of_nothing,
    "image": image_boots,
    "image-after-guard": image_after_guard,
    "power-cut": power_cut,
    "power-off": power_off,
    "drop-ins": drop_ins,
}
