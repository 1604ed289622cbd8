# SPDX-License-Identifier: Apache-2.0
"""The cost of one start, beside an empty dash script, and the program's size."""

import os
import subprocess

from harness import Report, median, milliseconds, paired_ratio, tool

NAME = "start"
ABOUT = "start time beside an empty dash script, and the size of the program"


def measure(bench):
    place = bench.workplace("start")
    empty = bench.scratch / "empty.sh"
    empty.write_text(f"#!{bench.dash}\n")
    empty.chmod(0o755)
    own = bench.this_program(place)
    jobs = [
        ("empty dash script", lambda: bench.once([empty])),
        ("thaw, no cycle, no hooks", lambda: bench.once(own.thaw)),
        ("freeze, no hooks", lambda: bench.freeze(own)),
        ("list, no hooks", lambda: bench.once([own.freeze[0], "list"])),
        ("--version", lambda: bench.once([own.freeze[0], "--version"])),
    ]
    samples = bench.interleave(bench.rounds(100), jobs)
    base = samples["empty dash script"]
    rows = [
        [
            name,
            milliseconds(taken),
            f"{paired_ratio(taken, base):.2f}",
            f"{median([s.cpu_seconds for s in taken]) * 1000:.2f}",
            f"{max(s.peak_kib for s in taken) / 1024:.1f}",
        ]
        for name, taken in samples.items()
    ]
    stripped = bench.scratch / "stripped"
    subprocess.run([tool("strip", "binutils"), "-o", str(stripped), str(bench.program)], check=True)
    sizes = [os.path.getsize(path) / 1e6 for path in (bench.program, stripped)]
    note = f"Size of the program: {sizes[0]:.1f} MB, {sizes[1]:.1f} MB stripped."
    return [Report("One start", ["command", "ms", "x dash", "CPU ms", "peak MiB"], rows, [note])]
