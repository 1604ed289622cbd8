# SPDX-License-Identifier: Apache-2.0
"""The common part of all measurements: the runners, the timing, the tables, the targets."""

import os
import re
import shutil
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

SOURCES = Path(__file__).resolve().parent
# The other runners have no guard; another measurement shows its cost.
WITHOUT_GUARD = "hold-limit = 0\n"
JOURNAL_SOCKET = Path("/run/systemd/journal/socket")
STOCK_SCRIPTS = ("/etc/qemu/fsfreeze-hook", "/etc/qemu-ga/fsfreeze-hook")


class BenchError(Exception):
    """A fault that makes a measurement impossible; the text says what to do about it."""


@dataclass
class Sample:
    """One timed run of a program."""

    seconds: float
    cpu_seconds: float
    peak_kib: int


@dataclass
class Target:
    """A limit that a measured value is held against."""

    what: str
    value: float
    limit: float
    unit: str = ""

    @property
    def reached(self):
        """Whether the limit is kept."""
        return self.value <= self.limit

    def row(self):
        """The target as a row of the last table."""

        def shown(number):
            return f"{number:.2f}{self.unit}"

        return [self.what, shown(self.value), f"at most {shown(self.limit)}", "PASS" if self.reached else "MISS"]


@dataclass
class Report:
    """The result of a measurement: tables of text, remarks, targets."""

    title: str
    header: list
    rows: list
    notes: list = field(default_factory=list)
    targets: list = field(default_factory=list)


@dataclass
class Runner:
    """A program that runs the hooks of a directory; `thaw` ends the cycle that a run began, untimed."""

    name: str
    freeze: list
    thaw: list = None
    log: Path = None


def reap():
    """Waits for orphans: this process is the first one of its pid namespace, and guards outlive their freeze."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0] > 0:
            pass
    except ChildProcessError:
        pass


def tool(name, package):
    path = shutil.which(name)
    if path is None:
        raise BenchError(f"{name} is missing: apt-get install {package}")
    return path


def median(values):
    return statistics.median(values)


def paired_ratio(samples, others):
    """The median of the ratios within each round, so that a changing load touches both sides."""
    return median([a.seconds / b.seconds for a, b in zip(samples, others)])


def added_milliseconds(samples, others):
    """The median of the differences within each round."""
    return median([a.seconds - b.seconds for a, b in zip(samples, others)]) * 1000


def milliseconds(samples):
    return f"{median([s.seconds for s in samples]) * 1000:.2f}"


def table(header, rows):
    """Lines of a table in columns: the first flush left, the others flush right."""
    cells = [list(map(str, row)) for row in [header] + rows]
    widths = [max(len(row[i]) for row in cells) for i in range(len(header))]
    lines = []
    for row in cells:
        lines.append("  ".join(c.ljust(w) if i == 0 else c.rjust(w) for i, (c, w) in enumerate(zip(row, widths))))
    lines.insert(1, "  ".join("-" * w for w in widths))
    return [line.rstrip() for line in lines]


class Bench:
    """A throwaway directory with the compiled helpers, and the means to run and time things in it."""

    def __init__(self, program, scratch, rounds=None, quick=False):
        self.program = program
        self.scratch = scratch
        self.fixed_rounds = rounds
        self.quick = quick
        # Another build of the program, for the measurement of that name.
        self.before = None
        self.environment = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C"}
        self.stock = next((Path(p) for p in STOCK_SCRIPTS if os.access(p, os.X_OK)), None)
        if self.stock is None:
            raise BenchError("the stock fsfreeze-hook is missing: apt-get install qemu-guest-agent")
        self.run_parts = tool("run-parts", "debianutils")
        self.dash = tool("dash", "dash")
        self.compiled = {}
        self.launch = self.compile("launch.c")
        self.journal_entries = scratch / "journal-entries"
        self.journal = self.start_journal()
        self._errors = scratch / "stderr"

    def start_journal(self):
        """A reader in journald's place: a guest with systemd has a journal, so the cost of sending to it counts.

        /run is a tmpfs of this benchmark's own: no other journal's socket can be there.
        """
        JOURNAL_SOCKET.parent.mkdir(parents=True)
        self.journal_entries.write_bytes(bytes(8))
        reader = subprocess.Popen([self.compile("journal-reader.c"), JOURNAL_SOCKET, self.journal_entries])
        deadline = time.monotonic() + 5
        while not JOURNAL_SOCKET.exists():
            if reader.poll() is not None or time.monotonic() > deadline:
                raise BenchError("the reader of the journal's socket did not start")
            time.sleep(0.001)
        return reader

    def entries(self):
        """The number of entries that have come to the journal."""
        if self.journal.poll() is not None:
            raise BenchError("the reader of the journal's socket has died")
        return int.from_bytes(self.journal_entries.read_bytes()[:8], sys.byteorder)

    def close(self):
        """Ends the processes beside the measurements."""
        self.journal.terminate()
        self.journal.wait()

    def rounds(self, default):
        """The number of timed rounds, by the options and the measurement's own default."""
        if self.fixed_rounds is not None:
            return self.fixed_rounds
        return max(3, default // 5) if self.quick else default

    def compile(self, source, *flags):
        """The path of a static program made from a C file of this directory."""
        key = (source, flags)
        if key not in self.compiled:
            target = self.scratch / f"{Path(source).stem}-{len(self.compiled)}"
            command = [tool("cc", "gcc"), "-O2", "-static", *flags, "-o", str(target), str(SOURCES / source)]
            result = subprocess.run(command, stderr=subprocess.PIPE, text=True)
            if result.returncode != 0:
                raise BenchError(f"cannot compile {source} (apt-get install gcc libc6-dev):\n{result.stderr}")
            self.compiled[key] = target
        return self.compiled[key]

    def workplace(self, name, settings=WITHOUT_GUARD):
        """A directory made ready for every runner: hook directory, link to the program, configuration, stock script."""
        place = self.scratch / name
        (place / "fsfreeze-hook.d").mkdir(parents=True)
        (place / "fsfreeze-hook").symlink_to(self.program)
        (place / "fsfreeze-hook.conf").write_text(f"[general]\nlog-file = {place}/fsfreeze-hook.log\n{settings}")
        script, changed = re.subn(
            r"^LOGFILE=.*$", f"LOGFILE={place}/stock.log", self.stock.read_text(), count=1, flags=re.MULTILINE
        )
        if changed != 1:
            raise BenchError(f"{self.stock} has no LOGFILE= line: not the script that this benchmark knows")
        stock = place / "stock-fsfreeze-hook"
        stock.write_text(script)
        stock.chmod(0o755)
        return place

    def fill(self, place, count, hook=None):
        """Puts `count` hooks into the place: hard links of one program, with names that run-parts takes."""
        hook = hook or self.compile("trivial-hook.c")
        for number in range(count):
            os.link(hook, place / "fsfreeze-hook.d" / f"{number:04d}-hook")

    def this_program(self, place):
        own = str(place / "fsfreeze-hook")
        return Runner("fsfreeze-hook", [own, "freeze"], [own, "thaw"], place / "fsfreeze-hook.log")

    def stock_script(self, place):
        return Runner("stock script", [str(place / "stock-fsfreeze-hook"), "freeze"], log=place / "stock.log")

    def run_parts_runner(self, place):
        return Runner("run-parts", [self.run_parts, "--arg=freeze", str(place / "fsfreeze-hook.d")])

    def spawn_loop(self, place):
        return Runner("C loop", [str(self.compile("spawn-loop.c")), str(place / "fsfreeze-hook.d"), "freeze"])

    def once(self, command, environment=None):
        """One measured run of a command. A failure stops the benchmark: its time would mean nothing."""
        with open(self._errors, "w+") as errors:
            result = subprocess.run(
                [str(self.launch), *map(str, command)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=errors,
                env=environment or self.environment,
                cwd="/",
                text=True,
            )
            errors.seek(0)
            words = errors.read(2000)
        fields = result.stdout.split()
        if result.returncode != 0 or len(fields) != 4 or fields[3] != "0":
            status = fields[3] if len(fields) == 4 else "?"
            raise BenchError(f"{' '.join(map(str, command))}: exit status {status}\n{words}")
        return Sample(int(fields[0]) / 1e9, int(fields[1]) / 1e6, int(fields[2]))

    def freeze(self, runner, environment=None, while_frozen=None):
        """One measured freeze; its thaw, and the removal of its log, are not measured.

        `while_frozen` is called before the thaw.
        """
        sample = self.once(runner.freeze, environment)
        if while_frozen is not None:
            while_frozen()
        if runner.thaw is not None:
            self.once(runner.thaw)
        if runner.log is not None and runner.log.exists():
            os.truncate(runner.log, 0)
        reap()
        return sample

    def verify(self, runner, count):
        """Makes sure, in an untimed round, that the runner runs every hook exactly once."""
        counter = self.scratch / "count"
        counter.write_bytes(b"")
        ran = 0

        def count_now():
            nonlocal ran
            ran = counter.stat().st_size

        self.freeze(runner, {**self.environment, "BENCH_COUNT": str(counter)}, count_now)
        if ran != count:
            raise BenchError(f"{runner.name} ran {ran} of {count} hooks: nothing to compare")

    def four_runners(self, place):
        makers = (self.this_program, self.stock_script, self.run_parts_runner, self.spawn_loop)
        return [make(place) for make in makers]

    def interleave(self, rounds, jobs):
        """Runs the jobs A B C, A B C, ... and returns the samples of each by name; the first round is not counted."""
        samples = {name: [] for name, _ in jobs}
        for number in range(rounds + 1):
            for name, job in jobs:
                sample = job()
                if number > 0:
                    samples[name].append(sample)
        return samples
