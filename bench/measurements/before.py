# SPDX-License-Identifier: Apache-2.0
"""The cost of this program beside that of another build, for changes that must cost nothing."""

import os

from harness import Report, Runner, Target, median, milliseconds, paired_ratio

NAME = "before"
ABOUT = "start, one hook, 100 hooks and memory beside the build that --before names"

# Two builds of the same sources differ by less.
LIMIT = 1.05


def measure(bench):
    if bench.before is None:
        return []
    rows, targets = [], []
    for what, count, default in [("thaw, no cycle, no hooks", None, 200), ("freeze, 1 hook", 1, 200),
                                 ("freeze, 100 hooks", 100, 60)]:
        place = bench.workplace(f"before-{count}")
        bench.fill(place, count or 0)
        now, then = runners(bench, place)
        if count is None:
            jobs = [(r.name, lambda r=r: bench.once(r.thaw)) for r in (now, then)]
        else:
            bench.verify(now, count)
            bench.verify(then, count)
            jobs = [(r.name, lambda r=r: bench.freeze(r)) for r in (now, then)]
        samples = bench.interleave(bench.rounds(default), jobs)
        ours, theirs = samples[now.name], samples[then.name]
        ratio = paired_ratio(ours, theirs)
        cpu = median([a.cpu_seconds / b.cpu_seconds for a, b in zip(ours, theirs)])
        peaks = [max(s.peak_kib for s in taken) / 1024 for taken in (ours, theirs)]
        rows.append([what, milliseconds(ours), milliseconds(theirs), f"{ratio:.2f}", f"{cpu:.2f}",
                     *(f"{peak:.1f}" for peak in peaks)])
        targets.append(Target(f"{what}, x before", ratio, LIMIT))
        targets.append(Target(f"{what}, peak memory x before", peaks[0] / peaks[1], LIMIT))
    header = ["command", "ms", "ms before", "x before", "CPU x before", "peak MiB", "before"]
    return [Report("Beside the build before (medians of pairs)", header, rows, [], targets)]


def runners(bench, place):
    """This program and the other build, each with its own link beside the same hooks, and one log."""
    other = place / "before"
    os.symlink(bench.before, other)
    now = bench.this_program(place)
    return now, Runner("before", [str(other), "freeze"], [str(other), "thaw"], now.log)
