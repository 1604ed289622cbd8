# SPDX-License-Identifier: Apache-2.0
"""The largest memory of a freeze, by the number of hooks and by what they print."""

import os

from harness import Report, Target

NAME = "memory"
ABOUT = "peak memory of a freeze, by the number of hooks and by what they print"

LIMIT_MIB = 12.0
# More than the allocator's noise, less than the bytes that the hooks print.
FLAT_WITHIN_MIB = 1.0


def measure(bench):
    runs = []
    for count in (0, 1, 100, 1000):
        if bench.quick and count > 100:
            continue
        place = bench.workplace(f"memory-{count}")
        bench.fill(place, count)
        runs.append((f"{count:,} silent hooks" if count != 1 else "1 silent hook", place))
    million = 1_000_000
    printing = [(1, "hook", "lines"), (100, "hook", "lines"), (100, "line", "one line")]
    if not bench.quick:
        printing += [(1000, "hook", "lines"), (1000, "line", "one line")]
    for megabytes, suffix, shape in printing:
        place = bench.workplace(f"memory-{megabytes}-{suffix}")
        hook = bench.compile("print-hook.c", f"-DPRINT_BYTES={megabytes * million}ULL")
        os.link(hook, place / "fsfreeze-hook.d" / f"10-{suffix}")
        runs.append((f"1 hook, {megabytes:,} MB in {shape}", place))

    rows, peaks = [], []
    for what, place in runs:
        own = bench.this_program(place)
        peak = max(bench.freeze(own).peak_kib for _ in range(bench.rounds(3))) / 1024
        peaks.append(peak)
        rows.append([what, f"{peak:.2f}"])
    spread = max(peaks) - min(peaks)
    return [
        Report(
            "Peak memory of a freeze (MiB, the largest of the rounds)",
            ["what", "peak"],
            rows,
            ["ru_maxrss of wait4: the runner or the largest child that it waited for."],
            [
                Target("peak memory", max(peaks), LIMIT_MIB, " MiB"),
                Target("peak memory, largest less smallest", spread, FLAT_WITHIN_MIB, " MiB"),
            ],
        )
    ]
