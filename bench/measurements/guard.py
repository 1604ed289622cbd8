# SPDX-License-Identifier: Apache-2.0
"""The time that the guard adds to a freeze, and its memory while it waits."""

import os
from pathlib import Path

from harness import WITHOUT_GUARD, BenchError, Report, Target, added_milliseconds, milliseconds, paired_ratio

NAME = "guard"
ABOUT = "what the guard adds to a freeze of 1 and 10 hooks, and its memory while it waits"

TIME_LIMIT_MS = 3.0
MEMORY_LIMIT_MIB = 6.0


def measure(bench):
    rows, targets, peaks = [], [], []
    for count, default in ((1, 60), (10, 40)):
        places = {
            "with": bench.workplace(f"guard-{count}", ""),
            "without": bench.workplace(f"guard-{count}-none", WITHOUT_GUARD),
        }
        for place in places.values():
            bench.fill(place, count)
        guarded = bench.this_program(places["with"])
        unguarded = bench.this_program(places["without"])
        stock = bench.stock_script(places["with"])
        rounds = bench.rounds(default)
        jobs = [
            ("with", lambda: bench.freeze(guarded, while_frozen=lambda: peaks.append(memory_of_guard(bench.program)))),
            ("without", lambda: bench.freeze(unguarded)),
            ("stock", lambda: bench.freeze(stock)),
        ]
        samples = bench.interleave(rounds, jobs)
        added = added_milliseconds(samples["with"], samples["without"])
        rows.append(
            [
                f"{count:,}",
                rounds,
                milliseconds(samples["with"]),
                milliseconds(samples["without"]),
                f"{added:.2f}",
                f"{paired_ratio(samples['with'], samples['stock']):.2f}",
            ]
        )
        targets.append(Target(f"guard, added to {count} hook{'s' if count != 1 else ''}", added, TIME_LIMIT_MS, " ms"))
    resident = max(resident for resident, _ in peaks) / 1024
    private = max(private for _, private in peaks) / 1024
    targets.append(Target("guard, resident memory while it waits", resident, MEMORY_LIMIT_MIB, " MiB"))
    return [
        Report(
            "The guard as a plain process (milliseconds, medians)",
            ["hooks", "rounds", "with guard", "without", "added", "x stock script"],
            rows,
            [
                f"While it waits: {resident:.2f} MiB resident; {private:.2f} MiB of them are not pages of files.",
                "Where systemd runs the guard is moved into a scope: that is not measured here.",
            ],
            targets,
        )
    ]


def memory_of_guard(program):
    """Resident and anonymous KiB of the one guard in this process namespace."""
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            words = (entry / "cmdline").read_bytes().split(b"\0")
            if words[1:2] == [b"guard"] and os.path.samefile(entry / "exe", program):
                lines = (entry / "status").read_text().splitlines()
                fields = dict(line.split(":", 1) for line in lines if ":" in line)
                found.append((int(fields["VmRSS"].split()[0]), int(fields["RssAnon"].split()[0])))
        except (FileNotFoundError, ProcessLookupError, KeyError):
            continue
    if len(found) != 1:
        raise BenchError(f"{len(found)} guards wait for the thaw where there should be one")
    return found[0]
