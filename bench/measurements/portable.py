# SPDX-License-Identifier: Apache-2.0
"""The cost of a start of the portable program beside that of `make`, without any work, with libsystemd loaded."""

import os
import subprocess

from harness import Report, Target, median, milliseconds, paired_ratio, tool

NAME = "portable"
ABOUT = "size and bare start of the portable program beside the default build, both with libsystemd loaded"
PROJECT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PORTABLE = os.path.join(PROJECT, ".build-portable", "fsfreeze-hook")
# The holder ends at once when its run directory is not there, so the start alone is measured.
BARE = ["holder", "/nonexistent"]


def stripped_size(bench, program, name):
    """The size of a file in megabytes of 1,000,000 bytes."""
    target = bench.scratch / f"stripped-{name}"
    subprocess.run([tool("strip", "binutils"), "-o", str(target), str(program)], check=True)
    return target.stat().st_size / 1e6


def measure(bench):
    if not os.access(PORTABLE, os.X_OK):
        return [Report("The portable program", ["program"], [], ["Not built: make portable"])]
    empty = bench.scratch / "empty-portable.sh"
    empty.write_text(f"#!{bench.dash}\n")
    empty.chmod(0o755)
    # The program loads libsystemd at its first journal entry; LD_PRELOAD measures the load alone.
    loaded = {**bench.environment, "LD_PRELOAD": "libsystemd.so.0"}
    programs = {"default": str(bench.program), "portable": PORTABLE}
    jobs = [("empty dash script", lambda: bench.once([empty]))]
    for name, path in programs.items():
        jobs.append((f"{name}, no libsystemd", lambda path=path: bench.once([path, *BARE])))
        jobs.append((name, lambda path=path: bench.once([path, *BARE], loaded)))
    samples = bench.interleave(bench.rounds(200), jobs)
    base = samples["empty dash script"]
    rows = [
        [name, milliseconds(taken), f"{paired_ratio(taken, base):.2f}", f"{max(s.peak_kib for s in taken) / 1024:.1f}"]
        for name, taken in samples.items()
    ]
    sizes = {name: stripped_size(bench, path, name) for name, path in programs.items()}
    median_of = {name: median([s.seconds for s in taken]) * 1000 for name, taken in samples.items()}
    notes = [
        f"Stripped: {sizes['default']:.1f} MB by default, {sizes['portable']:.1f} MB portable.",
        f"libsystemd and what it needs: {median_of['portable'] - median_of['portable, no libsystemd']:.2f} ms.",
        "The rest: the start of Swift's runtime; 40,000 relocations of its and Foundation's data, which cannot be",
        "packed for glibc 2.28; portable: all symbols resolved at once (hardening), and three more libraries of an old",
        "glibc.",
    ]
    report = Report("The portable program: a start without work", ["program", "ms", "x dash", "peak MiB"], rows, notes)
    report.targets = [
        Target("size of the portable program, stripped", sizes["portable"], 16, " MB"),
        Target("its start with libsystemd, x dash", paired_ratio(samples["portable"], base), 1.9),
        Target("start of the default build with libsystemd, x dash", paired_ratio(samples["default"], base), 2.3),
    ]
    return [report]
