# SPDX-License-Identifier: Apache-2.0
"""A process and mount namespace of its own, in which a test is the first process."""

import contextlib
import ctypes
import os
import pathlib
import subprocess
import sys
import tempfile

_libc = ctypes.CDLL(None, use_errno=True)
READ_ONLY, REMOUNT = 1, 32
_MARK = "FSFREEZE_SOAK_INSIDE"
_GROUP = "FSFREEZE_SOAK_GROUP"


def enter(jobs=1):
    """Runs this script again in namespaces of its own, `jobs` times side by side; returns inside.

    Outside it never returns: it ends with the worst status. Inside it returns the number of the job.
    """
    if _MARK in os.environ:
        number = int(os.environ.pop(_MARK))
        _isolate()
        return number
    if os.geteuid() != 0:
        sys.exit("needs root: it makes namespaces of its own")
    command = ["unshare", "--mount", "--propagation", "private", "--pid", "--fork", "--kill-child", "--mount-proc",
               sys.executable, *sys.argv]
    with contextlib.ExitStack() as stack:
        children = []
        for number in range(jobs):
            variables = {_MARK: str(number), _GROUP: stack.enter_context(_control_group())}
            children.append(subprocess.Popen(command, env=os.environ | variables))
        try:
            statuses = [child.wait() for child in children]
        except KeyboardInterrupt:
            for child in children:
                child.terminate()
                child.wait()
            statuses = [130]
    sys.exit(max(abs(status) for status in statuses))


@contextlib.contextmanager
def _control_group():
    """A control group with a limit of processes; an empty path where the system has no such controller."""
    for parent in ("/sys/fs/cgroup/pids", "/sys/fs/cgroup"):
        try:
            place = pathlib.Path(tempfile.mkdtemp(prefix="fsfreeze-hook-", dir=parent))
        except OSError:
            continue
        try:
            if (place / "pids.max").exists():
                yield str(place)
                return
        finally:
            with contextlib.suppress(OSError):
                place.rmdir()
    yield ""


def control_group():
    """The control group of this job; None without a controller."""
    return os.environ.get(_GROUP) or None


def mount(source, target, kind, flags=0, data=""):
    if _libc.mount(source.encode(), target.encode(), kind.encode(), flags, data.encode()) != 0:
        raise OSError(ctypes.get_errno(), f"mount {target}")


def remount(target, read_only, data):
    mount("tmpfs", target, "tmpfs", REMOUNT | (READ_ONLY if read_only else 0), data)


# /run is as small as a full disk needs, and as large as a record and its neighbours.
RUN_OPTIONS = "mode=0755,size=512k"
OPTIONS = "mode=0755,size=64m"


def _isolate():
    mount("tmpfs", "/run", "tmpfs", data=RUN_OPTIONS)
    for place in ("/var/lib", "/var/log", "/mnt"):
        mount("tmpfs", place, "tmpfs", data=OPTIONS)
