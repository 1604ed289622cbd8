# SPDX-License-Identifier: Apache-2.0
"""A machine with fake applications, each with a real lock, and the conditions that hold when no cycle goes on."""

import contextlib
import fcntl
import json
import os
import shutil
import signal
import time

import namespace
from processes import Call, everything, pause, reap, signal_all

PLACE = "/mnt"
PROGRAM = f"{PLACE}/fsfreeze-hook"
RUN = "/run/fsfreeze-hook"
STATE = "/var/lib/fsfreeze-hook"
LOG = "/var/log/qga-fsfreeze-hook.log"
AGENT_STATE = "/run/qga.state.isfrozen"
TRACE = f"{PLACE}/trace"
FILLER = "/run/filler"

# Limits of milliseconds: a step takes no longer than it must.
SETTINGS = {
    "journal": "no", "hook-timeout": "400ms", "kill-grace": "100ms", "freeze-timeout": "2s", "thaw-timeout": "2s",
    "hold-limit": "3s",
}
# The limits once all is mended: on a loaded machine a hook that does nothing wrong may take a second.
PATIENCE = {"hook_timeout": "10s", "freeze_timeout": "15s", "thaw_timeout": "15s", "hold_limit": "15s",
            "session_timeout": "5s"}
# The longest that a call may take: its own limits, those of a cycle that it recovers, and a loaded machine.
CALL_LIMIT = 20
# The longest that the end of a window may take after its last call.
QUIET_LIMIT = 5
# The same where its run directory is gone: guard and holders keep the limits above.
LOST_LIMIT = 10

# Each application notes in the trace what happened to its lock: acquired at the freeze, and held or lost at the thaw.
# A file in faults/ has it misbehave.
_HEAD = """\
#!/mnt/sh-{name}
# fsfreeze-hook: guarantee = application-consistent
name=${{0##*/}}
lock=/mnt/apps/$name
note() {{ echo "$FSFREEZE_CYCLE $name $1 $FSFREEZE_REASON" >>/mnt/trace; }}
is_free() {{ flock -n "$lock" true; }}
fault=
[ ! -e /mnt/faults/$name.$1 ] || read -r fault </mnt/faults/$name.$1
note "begin-$1"
case $fault in
fail) [ $1 = thaw ] || exit 3 ;;
hang) exec sleep 1000 ;;
slow) sleep 0.06 ;;
die) kill -9 $$ ;;
esac
"""
_TAIL = """\
[ -z "$fault" ] || [ "$fault" != "${fault#slow}" ] || [ "$fault" != "${fault#brief}" ] || exit 3
exit 0
"""

# A lock that lives in a server: nothing but a thaw releases it.
_SERVER = _HEAD + """\
case $1 in
freeze) : >"$lock.held"; note acquired ;;
thaw)
    if [ -e "$lock.held" ]; then note held; else note lost; fi
    rm -f "$lock.held"
    note released
    ;;
esac
""" + _TAIL.replace("{", "{{").replace("}", "}}")

# A client that the freeze leaves running with the hook's own output, as the stock script's sample has it. bash waits
# without a child: one that ends in the window would be the end of something that the hook has left running.
_STOCK = _HEAD + """\
case $1 in
freeze)
    is_free || exit 1
    rm -f "$lock.ready"
    [ -p "$lock.fifo" ] || mkfifo "$lock.fifo"
    bash -c 'exec 9>>"$1" 8<>"$1.fifo"; flock -n 9 || exit 1; echo $$ >"$1.pid"; : >"$1.ready"; echo "locked"
        while ! read -r -t 0.05 -u 8; do echo "still locked"; [ "$2" != brief ] || exit 0; done
        ' client "$lock" "$fault" &
    while [ ! -e "$lock.ready" ]; do kill -0 $! 2>/dev/null || exit 1; sleep 0.01; done
    note acquired
    ;;
thaw)
    if is_free; then note lost; else note held; fi
    [ ! -e "$lock.pid" ] || read -r pid <"$lock.pid"
    [ -z "$pid" ] || kill "$pid" 2>/dev/null
    until is_free; do sleep 0.01; done
    rm -f "$lock.pid" "$lock.ready"
    note released
    ;;
esac
""" + _TAIL.replace("{", "{{").replace("}", "}}")

# A session that the program itself holds.
_SESSION = _HEAD + """\
case $1 in
freeze)
    read -r timeout </mnt/session-timeout
    echo "exec 9>>$lock; flock -n 9 && echo ready || exit 9" |
        /mnt/fsfreeze-hook hold "$name" --run-dir "$FSFREEZE_RUN_DIR" --ready '^ready$' --release 'exit 0' \\
            --timeout "$timeout" -- sh || exit 1
    note acquired
    ;;
thaw)
    if is_free; then note lost; else note held; fi
    read -r timeout </mnt/session-timeout
    /mnt/fsfreeze-hook release "$name" --run-dir "$FSFREEZE_RUN_DIR" --timeout "$timeout" || exit 1
    note released
    ;;
esac
""" + _TAIL.replace("{", "{{").replace("}", "}}")

# The words of the program's own processes (OwnProcess), and what they are called here.
OWN = {"guard": "guard", "holder": "holder", "drain-output": "drainer", "marker": "marker"}
APPLICATIONS = {"10-server": _SERVER, "20-stock": _STOCK, "30-session": _SESSION}


class Violation(Exception):
    """A condition that does not hold."""


def _write(path, text, mode=0o644):
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
        os.fchmod(file.fileno(), mode)


class Machine:
    """The machine of one test: a namespace's own /run, /var/lib and /var/log, and the applications in /mnt."""

    def __init__(self, program):
        shutil.copy(program, PROGRAM)
        for name in ("fsfreeze-hook.d", "apps", "faults"):
            os.mkdir(f"{PLACE}/{name}")
        for name, text in APPLICATIONS.items():
            os.symlink("/bin/sh", f"{PLACE}/sh-{name}")
            _write(f"{PLACE}/fsfreeze-hook.d/{name}", text.format(name=name), 0o755)
        self.group = namespace.control_group()
        self.gives_up = b"give-up" in open(PROGRAM, "rb").read()
        # The cycles in whose thaw something was hit: what it held then is no longer part of the image.
        self.hit_in_thaw = set()
        self.configure()

    # Changes

    def configure(self, session_timeout="300ms", **settings):
        values = SETTINGS | {key.replace("_", "-"): value for key, value in settings.items()}
        _write(f"{PLACE}/fsfreeze-hook.conf",
               "[general]\n" + "".join(f"{key} = {value}\n" for key, value in values.items()))
        _write(f"{PLACE}/session-timeout", f"{session_timeout}\n")

    def misbehave(self, name, action, fault):
        """A fault of an application; None mends it. Its interpreter can be gone: the hook cannot be started."""
        place = f"{PLACE}/faults/{name}.{action}"
        if fault == "gone":
            _remove(f"{PLACE}/sh-{name}")
        elif fault is not None:
            _write(place, fault + "\n")
        else:
            _remove(place)

    def mend(self):
        """Takes all faults back, and gives all calls time; the window stays as it is."""
        for name in APPLICATIONS:
            for action in ("freeze", "thaw"):
                self.misbehave(name, action, None)
            if not os.path.lexists(f"{PLACE}/sh-{name}"):
                os.symlink("/bin/sh", f"{PLACE}/sh-{name}")
        self.limit_processes(None)
        _remove(FILLER)
        _remove(AGENT_STATE)
        self.set_writable("/var/log", True)
        self.set_writable("/var/lib", True)
        self.configure(**PATIENCE)

    @staticmethod
    def set_writable(place, writable):
        namespace.remount(place, not writable, namespace.OPTIONS)

    @staticmethod
    def fill_run():
        """Leaves no room in /run."""
        with open(FILLER, "ab", buffering=0) as file:
            try:
                while True:
                    file.write(b"\0" * 4096)
            except OSError:
                pass

    def limit_processes(self, more):
        """How many processes calls may start beside those that they have started; None for any number."""
        if self.group:
            limit = "max" if more is None else int(_read(f"{self.group}/pids.current")) + more
            _write(f"{self.group}/pids.max", f"{limit}\n")

    # Calls

    def in_group(self):
        """The command by which a call and all that it starts are limited."""
        return ("sh", "-c", 'echo 0 >"$0/cgroup.procs" && exec "$@"', self.group)

    def start(self, *words, through=(), output=None):
        """A call of the program, by a command that executes it."""
        return Call([*through, PROGRAM, *words], output)

    def call(self, *words, limit=CALL_LIMIT, through=(), output=None):
        """The call, ended; a call that takes too long is a violation."""
        return self.finish(self.start(*words, through=through, output=output), limit)

    def finish(self, call, limit=CALL_LIMIT):
        if call.wait(limit) is None:
            stack = _kernel_stack(call.pid)
            call.kill(signal.SIGKILL)
            call.wait(5)
            raise Violation(f"call: {call} did not end within {limit} s {stack}")
        if call.holds_pipe:
            raise Violation(f"pipe: {call} has ended, and somebody still has its output")
        if call.status == 0 and "freeze" in call.arguments:
            self._note_answer()
        return call

    def note_late_loss(self):
        """Notes the cycle that is being thawed, in which something is about to be hit."""
        if any(line[:2] == ["moment", "thawing"] for line in self.record()):
            self.hit_in_thaw.add(self.cycle())

    def _note_answer(self):
        """Notes in the trace which applications are locked now that a freeze has answered."""
        held, cycle = self.held(), self.cycle()
        if cycle:
            with open(TRACE, "a", encoding="utf-8") as file:
                file.writelines(f"{cycle} {name} answered freeze\n" for name in held)

    # What is seen

    @staticmethod
    def parts():
        """The program's own processes and the clients: {pid: guard, holder, drainer, marker, client, runner}."""
        found = {}
        for pid, line in everything().items():
            words = line.split()
            if len(words) < 2:
                continue
            if "fsfreeze-hook" in words[0]:
                kind = OWN.get(words[1], "runner")
                found[pid] = kind
            elif line == "sh" or words[0] == "bash" and "flock -n 9" in line:
                found[pid] = "client"
        return found

    @staticmethod
    def held():
        """The names of the applications that are locked."""
        names = []
        for name in APPLICATIONS:
            lock = f"{PLACE}/apps/{name}"
            if os.path.exists(f"{lock}.held"):
                names.append(name)
            if os.path.exists(lock):
                with open(lock, "rb") as file:
                    try:
                        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    except BlockingIOError:
                        names.append(name)
        return names

    @staticmethod
    def run_files():
        try:
            return sorted(os.listdir(RUN))
        except FileNotFoundError:
            return []

    @staticmethod
    def record():
        try:
            return [line.split("\t") for line in open(f"{RUN}/cycle", encoding="utf-8", errors="replace")]
        except OSError:
            return []

    def cycle(self):
        """The id of the cycle whose record is there; None without a record."""
        first = next(iter(self.record()), [])
        return first[1] if len(first) > 1 and first[0] == "cycle" else None

    @staticmethod
    def trace():
        """What the applications have noted: [(cycle, application, event, reason)]."""
        try:
            lines = open(TRACE, encoding="utf-8").read().splitlines()
        except FileNotFoundError:
            return []
        return [tuple(line.split()) for line in lines if len(line.split()) == 4]

    @staticmethod
    def history():
        try:
            lines = open(f"{STATE}/history.jsonl", encoding="utf-8").read().splitlines()
        except FileNotFoundError:
            return []
        return [json.loads(line) for line in lines]

    # Conditions

    @staticmethod
    def end_applications():
        """Ends the applications' own processes, those of held sessions left out, and releases their locks."""
        for pid, line in everything().items():
            if f"{PLACE}/apps/" in line:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        for name in APPLICATIONS:
            _remove(f"{PLACE}/apps/{name}.held")

    def leftovers(self):
        """What must not be there when no cycle goes on."""
        found = [f"locked: {name}" for name in self.held()]
        found += [f"process: {pid} {line}" for pid, line in everything().items()]
        found += [f"file: {RUN}/{name}" for name in self.run_files()]
        if os.path.exists(f"{STATE}/image"):
            found.append(f"file: {STATE}/image")
        return found

    def expect_quiet(self, limit=QUIET_LIMIT):
        """Waits until nothing is left of a window."""
        end = time.monotonic() + limit
        while True:
            reap()
            found = self.leftovers()
            if not found:
                return
            if time.monotonic() > end:
                raise Violation("left: " + "; ".join(found))
            pause(0.01)

    def expect_true_verdicts(self, are_noted=True):
        """No cycle is called application-consistent whose locks were not held from the freeze's answer to its thaw.

        Where the applications' notes can be missing, only what they have noted counts.
        """
        events = {}
        for cycle, name, event, reason in self.trace():
            events.setdefault((cycle, name), []).append((event, reason))
        for cycle in self.history():
            if cycle["verdict"] != "application-consistent":
                continue
            own = {name: noted for (id_, name), noted in events.items() if id_ == cycle["id"]}
            if are_noted and sorted(own) != sorted(APPLICATIONS):
                raise Violation(f"verdict: {cycle['id']} is called application-consistent; only {sorted(own)} ran")
            for name, noted in own.items():
                thaw = next((entry for entry in noted if entry[0] in ("held", "lost")), None)
                seen = [event for event, _ in noted]
                is_missing = are_noted and (thaw is None or "acquired" not in seen)
                is_lost = thaw is not None and thaw[0] == "lost" and "answered" in seen
                is_lost = is_lost and cycle["id"] not in self.hit_in_thaw
                if is_missing or is_lost or thaw and thaw[1] not in ("thaw", "recover", "rehearsal"):
                    raise Violation(f"verdict: {cycle['id']} is called application-consistent; {name}: {noted}")

    def expect_cycle(self):
        """A freeze and a thaw work, hold and release everything, and their verdict says so."""
        freeze = self.call("freeze")
        if freeze.status != 0 or freeze.text:
            raise Violation(f"cycle: {freeze} after all was mended: {freeze.text!r}")
        if sorted(self.held()) != sorted(APPLICATIONS):
            raise Violation(f"cycle: only {self.held()} is locked after a freeze")
        thaw = self.call("thaw")
        if thaw.status != 0 or thaw.text:
            raise Violation(f"cycle: {thaw} after all was mended: {thaw.text!r}")
        self.expect_quiet()
        last = (self.history() or [{}])[-1]
        if last.get("verdict") != "application-consistent":
            raise Violation(f"cycle: a clean cycle is called {last.get('verdict')}: {last.get('reasons')}")

    def clear(self):
        """Forgets everything, also what a violation has left."""
        self.mend()
        for _ in range(50):
            signal_all(signal.SIGKILL)
            pause(0.02)
            if not everything():
                break
        for place in (RUN, STATE):
            shutil.rmtree(place, ignore_errors=True)
        for path in [LOG, TRACE, *(f"{PLACE}/apps/{name}" for name in os.listdir(f"{PLACE}/apps"))]:
            _remove(path)

    @staticmethod
    def forget():
        """Forgets the past; what a window has left stays."""
        for path in (LOG, TRACE, f"{STATE}/history.jsonl"):
            if os.path.exists(path):
                os.truncate(path, 0)

    def story(self):
        """What is known of the machine, for a report."""
        lines = []
        for path in (f"{PLACE}/fsfreeze-hook.conf", TRACE, f"{RUN}/cycle", f"{RUN}/deferred", LOG):
            try:
                tail = open(path, encoding="utf-8", errors="replace").read().splitlines()[-40:]
            except OSError:
                continue
            lines += [f"--- {path}", *tail]
        lines += ["--- processes", *(f"{pid} {line}" for pid, line in everything().items())]
        for entry in self.history()[-1:]:
            lines += ["--- last of the history", json.dumps(entry)]
        return "\n".join(lines)


def _read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def _remove(path):
    try:
        os.unlink(path)
    except FileNotFoundError:
        pass


def _kernel_stack(pid):
    try:
        return open(f"/proc/{pid}/wchan", encoding="utf-8").read() + " " + open(
            f"/proc/{pid}/syscall", encoding="utf-8").read().strip()
    except OSError:
        return ""
