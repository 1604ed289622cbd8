# SPDX-License-Identifier: Apache-2.0
"""The processes of a namespace whose first process this is: calls with a time limit, and all others."""

import os
import select
import signal
import time

ENVIRONMENT = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGCHLD])
_ended = {}


def reap():
    """Takes the status of all children that have ended; orphans are children of the first process."""
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if pid == 0:
            return
        _ended[pid] = status


def pause(seconds):
    """Waits for a child's end, at most this long."""
    signal.sigtimedwait([signal.SIGCHLD], max(0, seconds))
    reap()


class Call:
    """A call of a command. Its output goes to a pipe, which a caller such as qemu-ga reads to its end; or to a file."""

    def __init__(self, arguments, output=None):
        self.arguments = arguments
        self._output = output
        if output is None:
            reading, writing = os.pipe()
        else:
            writing = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND, 0o600)
            reading = os.open(output, os.O_RDONLY)
        os.set_inheritable(writing, True)
        actions = [(os.POSIX_SPAWN_OPEN, 0, "/dev/null", os.O_RDONLY, 0), (os.POSIX_SPAWN_DUP2, writing, 1),
                   (os.POSIX_SPAWN_DUP2, writing, 2), (os.POSIX_SPAWN_CLOSE, writing)]
        self.begin = time.monotonic()
        self.pid = os.posix_spawnp(
            arguments[0], arguments, ENVIRONMENT, file_actions=actions, setpgroup=0, setsigmask=[],
            setsigdef=range(1, 32))
        os.close(writing)
        self._pipe = reading
        self.status = self.seconds = None
        self.text = b""
        # Whether somebody still has the pipe after the call's end.
        self.holds_pipe = False

    def kill(self, number):
        if self.status is None:
            try:
                os.kill(self.pid, number)
            except ProcessLookupError:
                pass

    def poll(self):
        reap()
        if self.status is None and self.pid in _ended:
            self.status = os.waitstatus_to_exitcode(_ended.pop(self.pid))
            self.seconds = time.monotonic() - self.begin
            self._read_to_end()
        return self.status

    def wait(self, limit):
        """The exit status, negative for a signal; None when the call takes longer."""
        end = time.monotonic() + limit
        while self.poll() is None and time.monotonic() < end:
            pause(min(0.05, end - time.monotonic()))
        return self.status

    def _read_to_end(self):
        end = time.monotonic() + 2
        while True:
            ready, _, _ = select.select([self._pipe], [], [], max(0, end - time.monotonic()))
            if not ready:
                self.holds_pipe = True
                break
            piece = os.read(self._pipe, 65536)
            if not piece:
                break
            self.text += piece
        os.close(self._pipe)

    def __str__(self):
        words = [word.rpartition("/")[2] for word in self.arguments]
        start = words.index("fsfreeze-hook") if "fsfreeze-hook" in words else 0
        return f"{' '.join(words[start:])} ({self.status}, {self.seconds or 0:.2f} s)"


def everything():
    """The living processes of the namespace but this one: {pid: command line}."""
    found = {}
    for name in os.listdir("/proc"):
        if not name.isdigit() or name == str(os.getpid()):
            continue
        try:
            state = open(f"/proc/{name}/stat", "rb").read().rpartition(b")")[2].split()[0]
            if state in (b"Z", b"X"):
                continue
            line = open(f"/proc/{name}/cmdline", "rb").read()
        except OSError:
            continue
        found[int(name)] = line.replace(b"\0", b" ").decode(errors="replace").strip()
    return found


def signal_all(number):
    for pid in everything():
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            pass
