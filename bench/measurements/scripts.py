# SPDX-License-Identifier: Apache-2.0
"""The comparison over shell scripts, which real hooks are."""

from harness import Report

from .hooks import compare

NAME = "scripts"
ABOUT = "the same over 1, 10 and 100 shell scripts"

SCRIPT = """#!/bin/sh
if [ -n "$BENCH_COUNT" ]; then printf x >>"$BENCH_COUNT"; fi
exit 0
"""


def measure(bench):
    script = bench.scratch / "script"
    script.write_text(SCRIPT)
    script.chmod(0o755)
    header, rows = [], []
    for count, default in ((1, 50), (10, 30), (100, 6)):
        place = bench.workplace(f"scripts-{count}")
        bench.fill(place, count, script)
        header, row, _ = compare(bench, place, count, bench.rounds(default))
        rows.append(row)
    note = "Each hook is `exit 0` under /bin/sh."
    return [Report("A freeze over shell scripts (milliseconds, medians)", header, rows, [note])]
