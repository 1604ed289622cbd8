# SPDX-License-Identifier: Apache-2.0
"""Databases in a guest: load on them, a snapshot in the middle of the load, and the content of the image."""

import json
import re
import struct
import time
from dataclasses import dataclass

from guest import Guest
from image import run
from lab import Timer

UNITS = "mariadb postgresql redis-server redis-server@aof"
TABLES = ("innodb", "myisam", "aria")
NAMES = ("file", *TABLES, "postgresql", "redis-rdb", "redis-aof")
RECIPES = "mariadb postgresql redis"


class Load:
    """One writer for each application: 1, 2, 3, ... about ten a second, through the application's own client."""

    def __init__(self, guest):
        self._shell = guest.shell
        self._guest = guest

    def start(self, enough=10):
        """Starts the writers, and waits until each has written some numbers."""
        units = " ".join(f"lab-load@{name}" for name in NAMES)
        self._shell.run(f"systemctl start {units}", timeout=60)
        if self._guest.until(lambda: min(self.counts().values()) >= enough, 60) is None:
            raise RuntimeError(f"not every writer writes: {self.counts()}")

    def counts(self):
        """The count of acknowledged numbers of each writer."""
        return {name: len(notes) for name, notes in self.acknowledged().items()}

    def acknowledged(self):
        """The acknowledged numbers of each writer, each with the guest's uptime then."""
        words = self._shell.text("cd /run/lab-load 2>/dev/null && grep -H . *", timeout=60)
        found = {name: [] for name in NAMES}
        for name, number, uptime in re.findall(r"^(\S+?):(\d+) (\d+\.\d+)$", words, re.MULTILINE):
            found[name].append((int(number), float(uptime)))
        return found

    def goes_on(self, timeout=60):
        """Waits until each writer has written again; whether all did."""
        before = self.counts()
        return self._guest.until(lambda: all(
            count > before[name] for name, count in self.counts().items()), timeout) is not None


@dataclass
class Moment:
    """A freeze and its thaw under load, and the snapshot between them."""

    disk: object
    freeze_seconds: float
    thaw_seconds: float
    asked: float
    frozen: float
    thawed: float

    def acknowledged(self, notes):
        """The last number of each writer that was acknowledged when the host knew that the guest was frozen."""
        return {name: max((number for number, uptime in known if uptime <= self.frozen), default=0)
                for name, known in notes.items()}

    def pauses(self, notes):
        """The longest time between two acknowledgements of each writer from the freeze to shortly after the thaw."""
        longest = {}
        for name, known in notes.items():
            times = [uptime for _, uptime in known]
            longest[name] = max((later - earlier for earlier, later in zip(times, times[1:])
                                 if later >= self.asked and earlier <= self.thawed + 1), default=0)
        return longest


def image_under_load(lab, guest, hold=1.0):
    """Freezes, takes a snapshot, thaws."""
    asked = guest.uptime()
    with Timer() as freeze:
        guest.freeze()
    frozen = guest.uptime()
    disk = lab.snapshot(guest.machine)
    time.sleep(hold)
    with Timer() as thaw:
        guest.thaw()
    return Moment(disk, freeze.seconds, thaw.seconds, asked, frozen, guest.uptime())


@dataclass
class Found:
    """The content of an image."""

    needs_recovery: bool
    contents: dict
    mariadb_recovered: bool
    redo: int
    failed: str
    code: int
    status: dict

    def lost(self, acknowledged):
        """The count of acknowledged numbers of each writer that are lost; None where nothing can be read."""
        return {name: max(0, number - self.contents[name]["count"]) if "count" in self.contents[name] else None
                for name, number in acknowledged.items()}

    def damage(self):
        """The damage of the content, by application."""
        words = {}
        for name, seen in self.contents.items():
            if seen.get("check", "OK") != "OK":
                words[name] = seen["check"]
            elif "error" in seen:
                words[name] = seen["error"]
            elif seen["count"] != seen["last"]:
                words[name] = f"{seen['count']} numbers up to {seen['last']}"
        return words


def inspect(lab, disk):
    """Boots an image and reads its content."""
    dirty = needs_recovery(disk)
    with lab.boot(disk, "databases") as machine:
        guest = Guest(machine)
        code, status = guest.status()
        # The command ends when each server has started, or failed to.
        guest.shell.run(f"systemctl start {UNITS}", timeout=180)
        failed = guest.shell.text("systemctl list-units --failed --plain --no-legend | cut -d ' ' -f 1")
        contents = json.loads(guest.shell.text("lab-load contents", timeout=180))
        mariadb = guest.shell.text("journalctl -q --no-pager -b -u mariadb -o cat")
        postgresql = guest.shell.text("cat /var/log/postgresql/*.log")
        return Found(dirty, contents, "crash recovery" in mariadb, redo_bytes(postgresql), failed, code, status)


def redo_bytes(log):
    """The amount that PostgreSQL had to replay at its last start."""
    starts, ends = (re.findall(rf"redo {word} at ([0-9A-F]+)/([0-9A-F]+)", log) for word in ("starts", "done"))
    if not starts or not ends:
        return 0
    begin, end = ((int(high, 16) << 32) + int(low, 16) for high, low in (starts[-1], ends[-1]))
    return end - begin


def needs_recovery(disk):
    """Whether the journal of the image's filesystem has to be replayed: a flag in the superblock of ext4."""
    copy = disk.with_suffix(".first")
    run("qemu-img", "dd", "-U", "-f", "qcow2", "-O", "raw", "bs=4096", "count=1", f"if={disk}", f"of={copy}")
    first = copy.read_bytes()
    copy.unlink()
    magic, = struct.unpack_from("<H", first, 1024 + 0x38)
    incompatible, = struct.unpack_from("<I", first, 1024 + 0x60)
    if magic != 0xEF53:
        raise RuntimeError(f"{disk}: no ext4")
    return bool(incompatible & 4)
