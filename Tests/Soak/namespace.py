# SPDX-License-Identifier: Apache-2.0
"""A process, mount and IPC namespace of its own, in which a test is the first process."""

import ctypes
import os
import subprocess
import sys

_libc = ctypes.CDLL(None, use_errno=True)
READ_ONLY, REMOUNT = 1, 32
_MARK = "FSFREEZE_SOAK_INSIDE"


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
    children = [subprocess.Popen(command, env=os.environ | {_MARK: str(number)}) for number in range(jobs)]
    try:
        statuses = [child.wait() for child in children]
    except KeyboardInterrupt:
        for child in children:
            child.terminate()
        sys.exit(130)
    sys.exit(max(abs(status) for status in statuses))


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
