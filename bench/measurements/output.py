# SPDX-License-Identifier: Apache-2.0
"""A hook that prints 1 GB, beside the same hook piped into cat."""

import os
import shlex

from harness import Report, Target, milliseconds, paired_ratio

NAME = "output"
ABOUT = "a hook that prints 1 GB, beside HOOK | cat > /dev/null"

LIMIT = 2.0
BYTES = 1_000_000_000


def measure(bench):
    rows, targets = [], []
    hook = bench.compile("print-hook.c", f"-DPRINT_BYTES={BYTES}ULL")
    for suffix, shape in (("hook", "lines of 100 bytes"), ("line", "one line")):
        place = bench.workplace(f"output-{suffix}")
        path = place / "fsfreeze-hook.d" / f"10-{suffix}"
        os.link(hook, path)
        own = bench.this_program(place)
        pipe = [bench.dash, "-c", f"{shlex.quote(str(path))} freeze | cat > /dev/null"]
        jobs = [("own", lambda: bench.freeze(own)), ("cat", lambda: bench.once(pipe))]
        samples = bench.interleave(bench.rounds(5), jobs)
        bench.once(own.freeze)
        own_log = own.log.stat().st_size
        bench.once(own.thaw)
        ratio = paired_ratio(samples["own"], samples["cat"])
        rows.append(
            [
                shape,
                milliseconds(samples["own"]),
                milliseconds(samples["cat"]),
                f"{ratio:.2f}",
                f"{own_log / 1000:,.1f}",
            ]
        )
        targets.append(Target(f"1 GB in {shape}, x | cat", ratio, LIMIT))
    return [
        Report(
            "A hook that prints 1 GB (milliseconds, medians)",
            ["printed", "fsfreeze-hook", "| cat > /dev/null", "x | cat", "log kB"],
            rows,
            ["The log is that of one cycle; the stock script's would have all of the gigabyte."],
            targets,
        )
    ]
