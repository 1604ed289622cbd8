# SPDX-License-Identifier: Apache-2.0
"""A guest, with the questions and changes of the checks as functions."""

import json
import time

LOG = "/var/log/qga-fsfreeze-hook.log"
RUN = "/run/fsfreeze-hook"

# Holds a session of sh from freeze to thaw.
SESSION = """\
#!/bin/sh
# fsfreeze-hook: guarantee = application-consistent
case $1 in
freeze)
    echo "opening the session"
    fsfreeze-hook hold session --run-dir "$FSFREEZE_RUN_DIR" --ready '^held$' --release 'exit 0' -- sh <<'END' || exit 1
echo held
END
    ;;
thaw)
    echo "closing the session ($FSFREEZE_REASON)"
    fsfreeze-hook release session --run-dir "$FSFREEZE_RUN_DIR" || exit 1
    ;;
esac
"""

SLOW = """\
#!/bin/sh
case $1 in
freeze) sleep 30 ;;
thaw) echo "let go ($FSFREEZE_REASON)" ;;
esac
"""

# The thaw of this hook writes to a disk, which blocks while the filesystems are frozen.
WRITER = """\
#!/bin/sh
[ "$1" = freeze ] || echo "thawed" > /var/tmp/writer
"""


class Process:
    """A process of ours in the guest, as /proc shows it."""

    def __init__(self, line):
        pid, state, group, self.command = line.split("|", 3)
        self.pid, self.state, self.group = int(pid), state, group

    @property
    def unit(self):
        return self.group.rpartition("/")[2]

    def __repr__(self):
        return f"{self.pid} {self.state} {self.unit} [{self.command.strip()[:60]}]"


class Guest:
    """A machine with the program in it."""

    def __init__(self, machine):
        self.machine = machine
        self.agent = machine.agent
        self.shell = machine.shell
        self._probes = 0

    def put(self, path, text, mode="755"):
        status, words = self.shell.run(f"cat > {path} <<'END OF FILE'\n{text}END OF FILE\nchmod {mode} {path}")
        if status != 0:
            raise RuntimeError(f"{path}: {words}")

    def hook(self, name, text=SESSION):
        self.put(f"/etc/qemu/fsfreeze-hook.d/{name}", text)

    def configure(self, hooks=None, **settings):
        """The configuration: the keys of [general], and those of each hook by its name."""
        sections = {"general": settings} | {f"hook {name}": keys for name, keys in (hooks or {}).items()}
        text = "".join(
            f"[{title}]\n" + "".join(f"{key.replace('_', '-')} = {value}\n" for key, value in keys.items())
            for title, keys in sections.items())
        self.put("/etc/qemu/fsfreeze-hook.conf", text, "644")

    def unit_setting(self, line):
        """A drop-in of the test for the agent's unit, in memory."""
        place = "/run/systemd/system/qemu-guest-agent.service.d"
        self.shell.run(f"mkdir -p {place}")
        self.put(f"{place}/90-test.conf", f"[Service]\n{line}\n", "644")
        self.shell.run("systemctl daemon-reload")

    def use_hook(self, path):
        """Makes the agent call something else than the program, or nothing."""
        place = "/etc/systemd/system/qemu-guest-agent.service.d"
        self.shell.run(f"mkdir -p {place} && cd {place} && "
                       "ln -sf /dev/null 50-fsfreeze-hook.conf && ln -sf /dev/null 60-fsfreeze-hook-recover.conf")
        option = f" -F{path}" if path else ""
        self.put(f"{place}/90-lab.conf", f"[Service]\nExecStart=\nExecStart=-/usr/sbin/qemu-ga{option}\n", "644")
        self.shell.run("systemctl daemon-reload && systemctl restart qemu-guest-agent", timeout=90)
        self.agent.sync(60)

    def uptime(self):
        return float(self.shell.text("cat /proc/uptime").split()[0])

    def freeze(self, timeout=300):
        return self.agent.ask("guest-fsfreeze-freeze", timeout)

    def freeze_nothing(self):
        """Freezes without a filesystem: the hooks run."""
        return self.agent.ask("guest-fsfreeze-freeze-list", 90, mountpoints=["/nonexistent"])

    def thaw(self, timeout=300):
        return self.agent.ask("guest-fsfreeze-thaw", timeout)

    def frozen_really(self):
        """Whether a new writer stands still."""
        self._probes += 1
        path = f"/root/probe-{self._probes}"
        self.shell.run(f"sh -c 'echo x > {path}' </dev/null >/dev/null 2>&1 &\nsleep 0.4")
        return self.shell.run(f"test -s {path}")[0] != 0

    def pids(self, pattern):
        return [int(word) for word in self.shell.text(f"pgrep -f -- '{pattern}'").split()]

    def processes(self, pids=None):
        """The processes of the program and their clients, or those that are named."""
        ours = "$(pgrep -f '^fsfreeze-hook (guard|holder|expire|drain)')"
        choice = ours if pids is None else " ".join(map(str, pids))
        lines = self.shell.text(
            f"for p in {choice}; do [ -r /proc/$p/stat ] || continue; "
            "s=$(sed 's/.*) //; s/ .*//' /proc/$p/stat); g=$(sed -n 's/^0:://p' /proc/$p/cgroup); "
            "echo \"$p|$s|$g|$(tr '\\0' ' ' < /proc/$p/cmdline)\"; done")
        return [Process(line) for line in lines.splitlines() if line.count("|") >= 3]

    def record(self):
        """The record's lines as lists of words."""
        return [line.split("\t") for line in self.shell.text(f"cat {RUN}/cycle 2>/dev/null").splitlines()]

    def window(self):
        """The processes of the window: guard, holder and client by name."""
        pids = {}
        for words in self.record():
            if words[0] == "guard":
                pids["guard"] = int(words[2])
            elif words[0] == "hold":
                pids["holder"] = int(words[3])
            elif words[0] == "client":
                pids["client"] = int(words[2])
        alive = {process.pid: process for process in self.processes(list(pids.values()))} if pids else {}
        return {name: alive.get(pid) for name, pid in pids.items()}

    def status(self):
        """The exit status and the value of `status --json`."""
        code, text = self.shell.run("fsfreeze-hook status --json")
        try:
            return code, json.loads(text)
        except ValueError:
            return code, {"unreadable": text}

    def log(self):
        return self.shell.text(f"cat {LOG} 2>/dev/null")

    def journal(self, options=""):
        return self.shell.text(f"journalctl -q --no-pager -t fsfreeze-hook {options}")

    def until(self, condition, timeout):
        """Waits for a condition; the seconds it took, or None."""
        begin = time.monotonic()
        while time.monotonic() - begin < timeout:
            if condition():
                return time.monotonic() - begin
            time.sleep(0.1)
        return None
