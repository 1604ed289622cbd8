# SPDX-License-Identifier: Apache-2.0
"""A Debian system of its own: made by mmdebstrap, booted by systemd-nspawn, with the real systemd and the real agent.

It shares this machine's kernel, so no filesystem is ever frozen in it: the agent is only asked for mount points that do
not exist. It has no network.
"""

import json
import os
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent.parent
# The agent's own unit waits for a virtio port. A drop-in cannot remove dependencies, so this unit replaces it.
AGENT_UNIT = "etc/systemd/system/qemu-guest-agent.service"
AGENT_SETTINGS = "[general]\nmethod=unix-listen\npath=/run/qga.sock\nstatedir=/run\n"
PACKAGES = "systemd,systemd-sysv,dbus,qemu-guest-agent,logrotate,procps,man-db"


class Fault(Exception):
    """A promise that does not hold."""


def expect(condition, otherwise):
    """Raises a fault with these words unless the condition holds."""
    if not condition:
        raise Fault(otherwise)


def run(command, **options):
    """Runs a command of this machine; returns its output, or raises a fault with it."""
    result = subprocess.run(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
        **options)
    if result.returncode:
        raise Fault(f"{' '.join(map(str, command))}: status {result.returncode}\n{result.stdout}")
    return result.stdout


def archive(release, cache, extra=""):
    """The release's system as an archive, fetched once."""
    path = cache / f"{release}{'-' + extra if extra else ''}.tar"
    if not path.exists():
        mirror = run([PROJECT / "scripts/debian-mirror"]).strip()
        cache.mkdir(parents=True, exist_ok=True)
        new = path.with_suffix(".new")
        packages = PACKAGES + (f",{extra}" if extra else "")
        keyring = "--keyring=/usr/share/keyrings/debian-archive-keyring.gpg"
        run(["mmdebstrap", "--quiet", "--variant=minbase", "--format=tar", f"--include={packages}", keyring,
             release, str(new), mirror])
        new.rename(path)
    return path


class Container:
    """One booted system, for a with statement: its end leaves nothing."""

    def __init__(self, system, directory, prepare=None):
        self.root = Path(directory)
        self.root.mkdir()
        run(["tar", "--extract", "--file", str(system), "--directory", str(self.root)])
        (prepare or prepare_agent)(self.root)
        self._nspawn = None
        self._leader = None

    def __enter__(self):
        environment = dict(os.environ, SYSTEMD_NSPAWN_UNIFIED_HIERARCHY="1")
        self._console = open(self.root.with_suffix(".console"), "wb")
        self._nspawn = subprocess.Popen(
            ["systemd-nspawn", "--quiet", "--directory", str(self.root), "--register=no", "--keep-unit",
             "--private-network", "--console=pipe", f"--machine={self.root.name}", "--boot",
             "systemd.log_level=warning"],
            stdin=subprocess.DEVNULL, stdout=self._console, stderr=subprocess.STDOUT, env=environment)
        try:
            self.wait(self._find_leader, "systemd-nspawn starts no system")
            self.wait(lambda: self.sh("systemctl is-system-running", fail=False).strip() in ("running", "degraded"),
                      "the system does not come up")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        if self._nspawn.poll() is None:
            # nspawn shuts the system down at the first SIGTERM, and kills it at the second.
            for number in (signal.SIGTERM, signal.SIGTERM, signal.SIGKILL):
                self._nspawn.send_signal(number)
                try:
                    self._nspawn.wait(20)
                    break
                except subprocess.TimeoutExpired:
                    continue
        self._console.close()
        shutil.rmtree(self.root)

    def _find_leader(self):
        if self._nspawn.poll() is not None:
            raise Fault("systemd-nspawn ended:\n" + self.root.with_suffix(".console").read_text(errors="replace"))
        for child in Path(f"/proc/{self._nspawn.pid}/task").glob("*/children"):
            for process in child.read_text().split():
                if Path(f"/proc/{process}/comm").read_text().strip() == "systemd":
                    self._leader = int(process)
        return self._leader is not None

    def wait(self, condition, otherwise, seconds=90):
        """Waits until a condition is true."""
        deadline = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > deadline:
                raise Fault(f"{otherwise} (waited {seconds} s)")
            time.sleep(0.1)

    def sh(self, script, fail=True):
        """The output of a shell script that runs in the system; fail=False: whatever its status."""
        command = ["nsenter", f"--target={self._leader}", "--mount", "--uts", "--ipc", "--net", "--pid", "--root",
                   "--wd", "env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root", "LC_ALL=C.UTF-8",
                   "TERM=dumb",
                   "DEBIAN_FRONTEND=noninteractive", "sh", "-c", script]
        result = subprocess.run(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
            timeout=300)
        if fail and result.returncode:
            raise Fault(f"{script}: status {result.returncode}\n{result.stdout}")
        return result.stdout

    def succeeds(self, script):
        """Whether a shell script ends with 0."""
        try:
            self.sh(script)
        except Fault:
            return False
        return True

    def put(self, path, content, mode=0o644):
        """Makes a file in the running system."""
        file = Path(f"/proc/{self._leader}/root") / path.lstrip("/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content)
        file.chmod(mode)

    def give(self, path):
        """Puts a file of this machine into the system's /root; its path there."""
        shutil.copy(path, self.root / "root" / Path(path).name)
        return f"/root/{Path(path).name}"

    def ask_agent(self, command, **arguments):
        """The answer of the system's agent to a request."""
        connection = socket.socket(socket.AF_UNIX)
        connection.settimeout(60)
        # A socket's path has at most 108 bytes: /proc/PID/root leads into the system's own /run.
        connection.connect(f"/proc/{self._leader}/root/run/qga.sock")
        with connection, connection.makefile("rwb") as lines:
            request = {"execute": command} | ({"arguments": arguments} if arguments else {})
            lines.write(json.dumps(request).encode() + b"\n")
            lines.flush()
            answer = json.loads(lines.readline())
        if "return" not in answer:
            raise Fault(f"the agent answers {command} with {answer}")
        return answer["return"]

    def freeze(self):
        """A freeze of no filesystem: there is no such mount point."""
        return self.ask_agent("guest-fsfreeze-freeze-list", mountpoints=["/nonexistent"])

    def thaw(self):
        """The thaw of it."""
        return self.ask_agent("guest-fsfreeze-thaw")

    def status(self):
        """The output of `fsfreeze-hook status`."""
        return json.loads(self.sh("/usr/sbin/fsfreeze-hook status --json", fail=False))

    def agent(self):
        """The agent's process id and command line."""
        process = self.sh("systemctl show --property=MainPID qemu-guest-agent").strip().partition("=")[2]
        line = self.sh(f"tr '\\0' ' ' </proc/{process}/cmdline") if process != "0" else ""
        return int(process), line.split()

    def listing(self):
        """Every entry with type, mode, owner and target, and every file of /etc and /usr with its checksum."""
        # The files of the package manager, of the journal and of the running system, and the caches of libraries and
        # manual pages are left out.
        script = r"""
            find / -xdev \( -path /proc -o -path /sys -o -path /run -o -path /dev -o -path /tmp -o -path /root \
                -o -path /var/lib/dpkg -o -path /var/lib/rpm -o -path /var/cache -o -path /var/log/journal \
                -o -path /var/lib/systemd -o -path /var/tmp \) -prune \
                -o ! -name 'dpkg.log' ! -name 'alternatives.log' ! -name 'ld.so.cache' -printf '%y %m %u:%g %p %l\n'
            find /etc /usr -xdev -type f ! -name ld.so.cache -exec md5sum {} +
            """
        return sorted(self.sh(script).splitlines())


def prepare_agent(root):
    """Lets the agent run without a virtio port, and listen on a socket of its own."""
    for unit in (root / "lib/systemd/system", root / "usr/lib/systemd/system"):
        file = unit / "qemu-guest-agent.service"
        if file.exists():
            unwanted = ("BindsTo=", "After=dev-", "Condition")
            lines = [l for l in file.read_text().splitlines() if not l.startswith(unwanted)]
            (root / AGENT_UNIT).write_text("\n".join(lines) + "\n")
    (root / "etc/qemu/qemu-ga.conf").write_text(AGENT_SETTINGS)
