# SPDX-License-Identifier: Apache-2.0
"""Faults around a freeze: the stock script beside the program. The checks assert the program's promises."""

import contextlib
import time

from agent import AgentError, NoAnswer
from checks import CONSISTENT, CRASH, check_nothing_left, verdict
from guest import Guest
from lab import Timer

# An application that holds a lock from freeze to thaw, by the means of a hook for the stock script.
APPLICATION = """\
#!/bin/sh
case $1 in
freeze)
    sh -c 'exec 9>/run/application.lock; flock 9; exec sleep 100000' </dev/null >/dev/null 2>&1 &
    echo $! >/run/application.pid
    while flock -n /run/application.lock true; do sleep 0.05; done
    ;;
thaw)
    echo "thaw $FSFREEZE_REASON" >>/run/application.thaws
    kill "$(cat /run/application.pid)" 2>/dev/null
    exit 0
    ;;
esac
"""
# The same application, held by the program's `hold`.
HELD_APPLICATION = """\
#!/bin/sh
# fsfreeze-hook: guarantee = application-consistent
case $1 in
freeze)
    fsfreeze-hook hold application --run-dir "$FSFREEZE_RUN_DIR" --ready '^held$' --release 'exit 0' -- sh <<'END'
exec 9>/run/application.lock; flock 9; echo held
END
    ;;
thaw)
    echo "thaw $FSFREEZE_REASON" >>/run/application.thaws
    fsfreeze-hook release application --run-dir "$FSFREEZE_RUN_DIR"
    ;;
esac
"""
HANGS = """\
#!/bin/sh
[ "$1" != freeze ] || sleep {seconds}
"""
# A program that logs without end.
FILL = """\
import socket
for path in ("/run/systemd/journal/socket", "/run/systemd/journal/dev-log"):
    own = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
    try:
        while True:
            own.sendto(b"MESSAGE=full\\n", path)
    except BlockingIOError:
        print("full")
"""
STOCK = "stock script"
OURS = "fsfreeze-hook"


class Case:
    """A guest with an application that a hook holds, for the stock script or the program."""

    def __init__(self, machine, title, **settings):
        self.guest = Guest(machine)
        self.title = title
        if title == STOCK:
            self.guest.use_hook("/usr/local/sbin/stock-hook")
            self.guest.hook("10-application", APPLICATION)
            self.runner = "^/bin/sh /usr/local/sbin/stock-hook freeze"
        else:
            self.guest.configure(**settings)
            self.guest.hook("10-application", HELD_APPLICATION)
            self.runner = "^/usr/sbin/fsfreeze-hook freeze"

    def held(self):
        """Whether the application is held."""
        return self.guest.shell.run("flock -n /run/application.lock true")[0] != 0

    def thaws(self):
        """The calls of the application's hook with thaw."""
        return len(self.guest.shell.text("cat /run/application.thaws 2>/dev/null").splitlines())

    def ask(self, command, timeout):
        """The host's view, in words, and whether it got an answer."""
        with Timer() as timer:
            try:
                answer = f"answered {self.guest.agent.ask(command, timeout)}"
            except AgentError as error:
                answer = f"an error: {error}"
            except NoAnswer:
                answer = "no answer"
        return f"{answer} after {timer.seconds:.1f} s"

    def freeze(self, timeout=90):
        return self.ask("guest-fsfreeze-freeze", timeout)

    def thaw(self, timeout=90):
        return self.ask("guest-fsfreeze-thaw", timeout)

    def row(self, **more):
        """The present state of the guest."""
        return {
            "application held": yes(self.held()),
            "filesystem frozen": yes(self.guest.frozen_really()),
            "thaw hooks called": self.thaws(),
        } | {name.replace("_", " "): value for name, value in more.items()}

    def begin_hanging_freeze(self):
        """A freeze that hangs in its second hook."""
        self.guest.hook("20-hangs", HANGS.format(seconds=300))
        self.guest.agent.send("guest-fsfreeze-freeze")
        if self.guest.until(lambda: self.guest.pids("^sleep 300"), 30) is None:
            raise RuntimeError("the hook was not called")

    def start_agent(self):
        """Makes sure that an agent runs and answers."""
        self.guest.shell.run("timeout 60 systemctl start qemu-guest-agent", timeout=70)
        self.guest.agent.sync(60)


def yes(value):
    return "yes" if value else "no"


@contextlib.contextmanager
def cases(lab, results, **settings):
    """Yields the maker of the cases, and shows the rows at the end."""
    columns = {}

    def each():
        for title in (STOCK, OURS):
            with lab.ready() as machine:
                case = Case(machine, title, **settings)
                yield case, title == OURS, columns
    yield each()
    results.table(columns)


def host_gives_up(lab, results):
    """A hook hangs, the host gives up after 10 s."""
    patience = 10
    # The limits of an administrator whose host waits for 10 s.
    with cases(lab, results, freeze_timeout="8s", kill_grace="1s") as each:
        for case, ours, columns in each:
            case.guest.hook("20-hangs", HANGS.format(seconds=25))
            said = case.freeze(patience)
            first = case.row()
            if not ours:
                # The hook ends, and with it the freeze that nobody waits for.
                time.sleep(20)
            columns[case.title] = case.row(the_host_sees=said, and_waits=yes("answered" in said))
            if ours:
                results.check("the host is answered before it gives up", "answered 1" in said, said)
                results.check("the hook is gone", not case.guest.pids("^sleep 25"))
                results.check("the host's thaw works", case.thaw().startswith("answered 1"))
                last = case.guest.status()[1].get("last", {})
                results.check("the verdict names the hook", last.get("verdict") == CRASH and (
                    "20-hangs" in str(last.get("reasons"))), last.get("reasons"))
                check_nothing_left(case.guest, results)
            results.note(f"{case.title}, when the host gives up: {first}")
    with lab.ready() as machine:
        case = Case(machine, OURS, freeze_timeout="8s", kill_grace="1s", on_failure="abort")
        case.guest.hook("20-hangs", HANGS.format(seconds=25))
        said = case.freeze(patience)
        results.check("with abort: the freeze is refused in time, with the reason in the log", "an error" in said and (
            "20-hangs finished with status=143" in case.guest.log()), f"{said}\n{case.guest.log()}")
        row = case.row()
        results.check("with abort: nothing is frozen or held", (
            row["application held"], row["filesystem frozen"]) == ("no", "no"), row)
        check_nothing_left(case.guest, results)
    with lab.ready() as machine:
        case = Case(machine, OURS, hook_timeout="14s", kill_grace="1s", hold_limit="4s", thaw_filesystems="yes")
        case.guest.hook("20-hangs", HANGS.format(seconds=300))
        said = case.freeze(patience)
        results.check("limits beyond the host's patience: it gives up", said.startswith("no answer"), said)
        seconds = case.guest.until(lambda: case.thaws() and not case.held(), 30)
        results.check("the guard frees the application of a freeze that nobody waits for", seconds is not None, seconds)
        results.check("and, as it is set to, the filesystem", case.guest.until(
            lambda: not case.guest.frozen_really(), 10) is not None)
        case.guest.agent.sync(60)
        results.note(f"a late thaw: {case.thaw()}")
        results.check("verdict", verdict(case.guest) == CRASH, case.guest.status())
        check_nothing_left(case.guest, results)


def lost_thaw(lab, results):
    """The host never thaws, the runner dies, the agent dies: the stock script beside the program."""

    def never_thaws(case):
        said = case.freeze()
        time.sleep(10)
        return case.row(the_host_sees=said)

    def runner_dies(case):
        case.begin_hanging_freeze()
        case.guest.shell.run(f"kill -9 $(pgrep -f '{case.runner}')")
        time.sleep(3)
        return case.row(hook_lives_on=yes(case.guest.pids("^sleep 300")))

    def agent_dies_during_hook(case):
        case.begin_hanging_freeze()
        case.guest.shell.run("systemctl kill -s KILL qemu-guest-agent")
        time.sleep(3)
        case.start_agent()
        return case.row(hook_lives_on=yes(case.guest.pids("^sleep 300")))

    def agent_dies_while_frozen(case):
        case.freeze()
        case.guest.shell.run("systemctl kill -s KILL qemu-guest-agent")
        time.sleep(2)
        case.start_agent()
        row = case.row()
        return row | {"thaw": case.thaw(), "thaw hooks called then": case.thaws()}

    def agent_is(verb):
        def work(case):
            case.guest.unit_setting("TimeoutStopSec=4s")
            case.freeze()
            case.guest.shell.run(f"timeout 60 systemctl {verb} qemu-guest-agent", timeout=90)
            case.start_agent()
            row = case.row()
            return row | {"thaw": case.thaw(), "thaw hooks called then": case.thaws()}
        return work

    def power_cut(case):
        case.freeze()
        case.guest.machine.monitor.ask("system_reset")
        time.sleep(2)
        case.guest.shell.wait(240)
        case.start_agent()
        return case.row(**{"a word of it in the log": yes("cycle" in case.guest.log())})

    free = {"application held": "no", "filesystem frozen": "no"}
    held = {"application held": "yes", "filesystem frozen": "yes", "thaw hooks called": 0, "thaw hooks called then": 1}
    for title, work, expected in (
            ("the host never thaws (hold-limit 5 s, thaw-filesystems)", never_thaws, free | {"thaw hooks called": 1}),
            ("the runner is killed in a hook", runner_dies, free | {"hook lives on": "no", "thaw hooks called": 1}),
            ("the agent is killed in a hook", agent_dies_during_hook, free | {
                "hook lives on": "no", "thaw hooks called": 1}),
            ("the agent is killed while frozen", agent_dies_while_frozen, held),
            ("systemctl stop while frozen", agent_is("stop"), held),
            ("systemctl restart while frozen", agent_is("restart"), held),
            ("power cut in the window", power_cut, free)):
        settings = {"hold_limit": "5s", "thaw_filesystems": "yes"} if work is never_thaws else {}
        results.note(title)
        with cases(lab, results, **settings) as each:
            for case, ours, columns in each:
                columns[case.title] = row = work(case)
                if ours:
                    results.check(title, all(row[name] == value for name, value in expected.items()), row)


def log_faults(lab, results):
    """/var/log is read-only, full, missing: hooks run, and somebody hears of it."""
    faults = {
        "read-only": ("mount --bind /var/log /var/log && mount -o remount,bind,ro /var/log", "umount /var/log"),
        "full": ("mount -t tmpfs -o size=64k tmpfs /var/log && cat /dev/zero >/var/log/full", "umount /var/log"),
        "missing": ("mv /var/log /var/log.away", "mv /var/log.away /var/log"),
    }
    for fault, (command, undo) in faults.items():
        results.note(f"/var/log is {fault}")
        with cases(lab, results) as each:
            for case, ours, columns in each:
                case.guest.shell.run(command)
                said = case.freeze()
                row = case.row(the_host_sees=said)
                thaw = case.thaw()
                row |= {"thaw": thaw, "thaw hooks called then": case.thaws(), "held then": yes(case.held())}
                columns[case.title] = row
                if ours:
                    results.check(f"{fault}: the application is held, and let go", (
                        row["application held"], row["filesystem frozen"], row["held then"],
                        row["thaw hooks called then"]) == ("yes", "yes", "no", 1), row)
                    results.check(f"{fault}: the host gets its answers", "answered 1" in said and (
                        "answered 1" in thaw), f"{said}; {thaw}")
                    results.check(f"{fault}: verdict", verdict(case.guest) == CONSISTENT, case.guest.status())
                    # The journal's own files are below, too.
                    code, words = case.guest.shell.run(undo)
                    results.check(f"{fault}: it was so until now", code == 0, words)
                    words = case.guest.journal("-o cat")
                    results.check(f"{fault}: the journal has the cycle, and what is wrong with the log", (
                        CONSISTENT in words and "qga-fsfreeze-hook.log" in words), words)
                    check_nothing_left(case.guest, results)


def journal_blocked(lab, results):
    """journald stands still: nobody waits for it."""
    with cases(lab, results) as each:
        for case, ours, columns in each:
            case.guest.shell.run("systemctl kill -s STOP systemd-journald")
            with Timer() as timer:
                said = case.freeze()
                row = {"application held": yes(case.held()), "the host sees": said, "thaw": case.thaw(), (
                    "held then"): yes(case.held())}
            columns[case.title] = row
            if ours:
                results.check("the application is held, and let go", (row["application held"], row["held then"]) == (
                    "yes", "no"), row)
                results.check("within 5 s", timer.seconds < 5, timer.seconds)
                results.check("verdict", verdict(case.guest) == CONSISTENT, case.guest.status())
                case.guest.shell.run("systemctl kill -s CONT systemd-journald")
                results.check("the journal has it later", case.guest.until(
                    lambda: CONSISTENT in case.guest.journal("-o cat"), 20) is not None, case.guest.journal("-o cat"))
                check_nothing_left(case.guest, results)
                journal_full(case, results)


def journal_full(case, results):
    """The journal's sockets are full as well. The agent itself would wait now: it logs each freeze to the journal."""
    seconds = {}
    case.guest.put("/run/fill", FILL, "644")
    for state in ("works", "full"):
        if state == "full":
            case.guest.shell.run("systemctl kill -s STOP systemd-journald")
            # Each sender has a limit of its own, and the socket has one for all senders.
            for _ in range(4):
                words = case.guest.shell.text("python3 /run/fill")
            results.check("the journal's sockets are full", words.count("full") == 2, words)
        for action in ("freeze", "thaw"):
            with Timer() as timer:
                code, words = case.guest.shell.run(f"fsfreeze-hook {action}", timeout=60)
            seconds[state] = seconds.get(state, 0) + timer.seconds
            results.check(f"journal {state}: {action}", code == 0 and case.held() == (action == "freeze"), words)
        results.check(f"journal {state}: verdict", verdict(case.guest) == CONSISTENT, case.guest.status())
    results.check("a full journal costs less than 1 s", seconds["full"] < seconds["works"] + 1, seconds)
    case.guest.shell.run("systemctl kill -s CONT systemd-journald")
    results.check("the log has all three cycles", case.guest.log().count(f": {CONSISTENT}") == 3, case.guest.log())
    check_nothing_left(case.guest, results)


def disk_full(lab, results):
    """The disk has no free byte: hooks run, and the image has its marker all the same."""
    fill = (
        "fallocate -l $(df --output=avail -B1 / | tail -n 1) /fill-1; "
        "cat /dev/zero 2>/dev/null >/fill-2; sync; i=0; "
        "while echo x 2>/dev/null >>/fill-3; do i=$((i + 1)); [ $i -lt 5000 ] || break; done; "
        "df -B1 --output=avail / | tail -n 1")
    with cases(lab, results) as each:
        for case, ours, columns in each:
            if ours:
                case.guest.freeze()
                case.guest.thaw()
                results.check("a cycle before is good", verdict(case.guest) == CONSISTENT)
                before = case.guest.status()[1]["last"]["id"]
            results.note(f"bytes free: {case.guest.shell.text(fill, timeout=120)}")
            case.guest.shell.run("rm -f /run/application.thaws")
            said = case.freeze()
            row = {"application held": yes(case.held()), "the host sees": said}
            taken = lab.snapshot(case.guest.machine)
            thaw = case.thaw()
            row |= {"thaw": thaw, "thaw hooks called": case.thaws(), "held then": yes(case.held())}
            columns[case.title] = row
            if not ours:
                continue
            results.check("the application is held, and let go", (
                row["application held"], row["held then"], row["thaw hooks called"]) == ("yes", "no", 1), row)
            results.check("the host gets its answers", "answered 1" in said and "answered 1" in thaw, row)
            code, state = case.guest.status()
            results.check("status does not tell of the cycle before as if it were the last", (
                state.get("last", {}).get("id") != before or code != 0), f"{code} {state}")
            words = case.guest.journal("-o cat")
            results.check("the journal says what could not be written", "No space left on device" in words and (
                "image marker in" not in words), words[-1500:])
            check_nothing_left(case.guest, results)
    with lab.boot(taken) as machine:
        guest = Guest(machine)
        code, state = guest.status()
        # The marker takes the blocks of the one before.
        image = state.get("image", {})
        results.check("status on the image tells of this cycle", code == 0 and image.get("verdict") == CONSISTENT and (
            image.get("cycle") not in (None, before)), f"{code} {state}")
        guest.shell.run("rm -f /fill-*")
        results.check("with room again a cycle works", (guest.freeze(), guest.thaw()) == (1, 1))
        results.check("and is recorded", guest.status()[1].get("last", {}).get("id") not in (None, before))


LOOP = (
    "modprobe loop; truncate -s 64M /backing && mke2fs -q -t ext4 /backing && mkdir -p /loop && "
    "mount -o loop /backing /loop && echo before >/loop/file && sync")


def loop(lab, results):
    """Two filesystems, one on a loop device whose backing file lies on the other."""
    with cases(lab, results) as each:
        for case, ours, columns in each:
            case.guest.shell.run(LOOP, timeout=60)
            said = case.freeze()
            row = case.row(the_host_sees=said)
            writes = "sh -c 'echo later >/loop/later' </dev/null >/dev/null 2>&1 &\nsleep 0.5; test -s /loop/later"
            row["the loop device is frozen"] = yes(case.guest.shell.run(writes)[0] != 0)
            taken = lab.snapshot(case.guest.machine)
            row["thaw"] = case.thaw()
            columns[case.title] = row
            if ours:
                results.check("both are frozen and thawed", "answered 2" in said and "answered 2" in row["thaw"] and (
                    row["the loop device is frozen"], row["filesystem frozen"]) == ("yes", "yes"), row)
                results.check("verdict", verdict(case.guest) == CONSISTENT)
                check_nothing_left(case.guest, results)
    with lab.boot(taken) as machine:
        guest = Guest(machine)
        code, state = guest.status()
        results.check("the image's status is good", code == 0, f"{code} {state}")
        code, words = guest.shell.run("e2fsck -fn /backing", timeout=60)
        results.check("the loop device's filesystem is clean on it", code == 0 and "recovery" not in words, words)
        words = guest.shell.text("modprobe loop; mount -o loop /backing /loop; ls /loop; cat /loop/file")
        results.check("and has what was written before", "before" in words and "later" not in words, words)
    with lab.ready() as machine:
        case = Case(machine, OURS, hold_limit="3s", thaw_filesystems="yes")
        case.guest.shell.run(LOOP, timeout=60)
        said = case.freeze()
        freed = case.guest.until(lambda: case.thaws() and not case.guest.processes(), 20)
        words = f"{said}; {case.guest.processes()}"
        results.check("nobody thaws: the guard comes to its end", freed is not None, words)
        code, words = case.guest.shell.run("timeout 5 sh -c 'echo now >/loop/now && echo now >/root/now'")
        results.check("and writers go on, on both", code == 0, words)
        results.note(f"a late thaw: {case.thaw()}")
        reasons = case.guest.status()[1].get("last", {}).get("reasons", [])
        results.check("the verdict says so", any("thawed the filesystems" in reason for reason in reasons), reasons)
        check_nothing_left(case.guest, results)


ALL = {
    "host-gives-up": host_gives_up,
    "lost-thaw": lost_thaw,
    "log-faults": log_faults,
    "journal-blocked": journal_blocked,
    "disk-full": disk_full,
    "loop": loop,
}
